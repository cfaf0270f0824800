-- What our role may not read of what a dump holds, with the statement that lets it.
WITH own AS (
    SELECT pg_class.oid AS id, nspname, relname, relkind, format('%I.%I', nspname, relname) AS name
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname <> 'information_schema' AND nspname !~ '^pg_' AND relpersistence <> 't'
      AND NOT EXISTS (SELECT FROM pg_depend
                      WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')
)
SELECT format('the schema %I', nspname) AS thing, 'no right to use it' AS reason,
       format('GRANT USAGE ON SCHEMA %I TO %I;', nspname, current_user) AS remedy
FROM pg_namespace
WHERE nspname <> 'information_schema' AND nspname !~ '^pg_' AND NOT has_schema_privilege(oid, 'USAGE')
UNION ALL
SELECT format('the table %s', name), 'no right to read it', format('GRANT SELECT ON TABLE %s TO %I;', name, current_user)
FROM own WHERE relkind IN ('r', 'p') AND NOT has_table_privilege(id, 'SELECT')
UNION ALL
SELECT format('the sequence %s', name), 'no right to read it',
       format('GRANT SELECT ON SEQUENCE %s TO %I;', name, current_user)
FROM own WHERE CASE WHEN relkind = 'S' THEN NOT has_sequence_privilege(id, 'SELECT') ELSE false END
UNION ALL
SELECT format('the table %s', name), 'row-level security hides rows of it from us',
       format('ALTER ROLE %I BYPASSRLS;', current_user)
FROM own WHERE relkind IN ('r', 'p') AND row_security_active(id)
UNION ALL
SELECT format('%s large objects, %s among them', count(*), min(oid)), 'no right to read them',
       format('GRANT SELECT ON LARGE OBJECT %s TO %I; -- and the others', min(oid), current_user)
FROM pg_largeobject_metadata
WHERE NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
  AND NOT pg_has_role(lomowner, 'USAGE')
  AND NOT EXISTS (SELECT FROM aclexplode(lomacl)
                  WHERE privilege_type = 'SELECT' AND (grantee = 0 OR pg_has_role(grantee, 'USAGE')))
HAVING count(*) > 0
ORDER BY thing
