-- needs: pg_monitor
-- Whose snapshots and transactions keep dead rows of this database from being removed, the oldest first.
-- A lazy VACUUM holds nobody back; a slot's catalog_xmin holds back the system's own tables only.
SELECT kind, name, age, seconds, detail
FROM (
    SELECT 'session' AS kind, 'of backend ' || pid AS name,
           greatest(age(backend_xid), age(backend_xmin)) AS age,
           extract(epoch FROM clock_timestamp() - xact_start)::float8 AS seconds,
           concat_ws(', ', usename, nullif(application_name, ''), state, left(regexp_replace(regexp_replace(
               query, '''([^'']|'''')*''', '''…''', 'g'), '\s+', ' ', 'g'), 120)) AS detail
    FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND datname = current_database() AND backend_type <> 'walsender'
      AND pid NOT IN (SELECT progress.pid FROM pg_stat_progress_vacuum AS progress)
    UNION ALL
    SELECT 'standby', coalesce(nullif(application_name, ''), 'without a name') || ' (hot_standby_feedback)',
           age(backend_xmin), NULL, concat_ws(', ', host(client_addr), state)
    FROM pg_stat_replication
    UNION ALL
    SELECT 'prepared transaction', quote_literal(gid), age(transaction),
           extract(epoch FROM clock_timestamp() - prepared)::float8, owner::text
    FROM pg_prepared_xacts WHERE database = current_database()
    UNION ALL
    SELECT 'replication slot', slot_name::text, age(xmin), NULL, CASE WHEN active THEN 'active' ELSE 'not active' END
    FROM pg_replication_slots
) AS holders
WHERE age IS NOT NULL
ORDER BY age DESC, name
LIMIT 5
