SELECT routine.oid::regprocedure::text AS name, owner.rolname::text AS owner, owner.rolsuper AS owner_is_superuser,
       EXISTS (SELECT FROM pg_catalog.aclexplode(coalesce(proacl, acldefault('f', proowner))) AS acl WHERE acl.grantee = 0) AS is_public,
       format('ALTER ROUTINE %s SET search_path = pg_catalog, %s, pg_temp;', routine.oid::regprocedure, quote_ident(nspname)) AS statement
FROM pg_catalog.pg_proc AS routine
JOIN pg_catalog.pg_namespace AS space ON space.oid = pronamespace
JOIN pg_catalog.pg_roles AS owner ON owner.oid = proowner
WHERE prosecdef AND nspname !~ '^pg_' AND nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM unnest(proconfig) AS setting WHERE setting LIKE 'search_path=%')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS own
                  WHERE own.classid = 'pg_proc'::regclass AND own.objid = routine.oid AND own.deptype = 'e')
ORDER BY owner_is_superuser DESC, is_public DESC, 1
LIMIT 500
