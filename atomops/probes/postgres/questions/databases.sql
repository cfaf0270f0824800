-- Transaction-id ages decide when PostgreSQL stops writing, template databases included.
SELECT datname::text AS name, age(datfrozenxid)::int8 AS xid_age, mxid_age(datminmxid)::int8 AS multixact_age,
       CASE WHEN has_database_privilege(oid, 'CONNECT') OR pg_has_role('pg_monitor', 'usage')
            THEN pg_database_size(oid) END AS size
FROM pg_database
ORDER BY datname
