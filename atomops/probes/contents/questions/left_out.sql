-- What a dump never holds, or a restore makes anew.
SELECT format('%I.%I', nspname, relname) AS name,
       CASE WHEN relkind = 'f' THEN 'a foreign table: its rows are on another server'
            WHEN relkind = 'm' THEN 'a materialised view: computed anew when it is restored'
            ELSE 'an unlogged table: a standby does not have its rows' END AS reason
FROM pg_class
JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
  AND (relkind IN ('f', 'm') OR relkind = 'r' AND relpersistence = 'u' AND pg_is_in_recovery())
  AND NOT EXISTS (SELECT FROM pg_depend
                  WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')
ORDER BY name
