WITH given AS (
    SELECT 1 AS place, 'schema' AS kind, quote_ident(nspname) AS name, acl.privilege_type AS right, acl.grantee
    FROM pg_catalog.pg_namespace AS space, pg_catalog.aclexplode(coalesce(nspacl, acldefault('n', nspowner))) AS acl
    WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND acl.privilege_type = 'CREATE'
    UNION ALL
    SELECT 2, 'table', relation.oid::regclass::text, acl.privilege_type, acl.grantee
    FROM pg_catalog.pg_class AS relation JOIN pg_catalog.pg_namespace AS space ON space.oid = relnamespace,
         pg_catalog.aclexplode(relacl) AS acl
    WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND relkind IN ('r', 'p', 'v', 'm', 'f')
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS own
                      WHERE own.classid = 'pg_class'::regclass AND own.objid = relation.oid AND own.deptype = 'e')
    UNION ALL
    SELECT 3, 'database', quote_ident(datname), acl.privilege_type, acl.grantee
    FROM pg_catalog.pg_database, pg_catalog.aclexplode(coalesce(datacl, acldefault('d', datdba))) AS acl
    WHERE datname = current_database()
)
SELECT kind, name, string_agg("right", ', ' ORDER BY "right") AS rights,
       format('REVOKE %s ON %s %s FROM PUBLIC;', string_agg("right", ', ' ORDER BY "right"), upper(kind), name) AS statement
FROM given
WHERE grantee = 0
GROUP BY place, kind, name
ORDER BY place, name
LIMIT 500
