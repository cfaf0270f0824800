-- needs: pg_monitor
SELECT pid, usename::text AS role, datname::text AS database, application_name AS application, state,
       extract(epoch FROM clock_timestamp() - xact_start)::float8 AS transaction_age,
       extract(epoch FROM clock_timestamp() - query_start)::float8 AS query_age,
       extract(epoch FROM clock_timestamp() - state_change)::float8 AS state_age,
       left(regexp_replace(regexp_replace(query, '''([^'']|'''')*''', '''…''', 'g'), '\s+', ' ', 'g'), 160) AS query
FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND state <> 'idle'
ORDER BY xact_start NULLS LAST
LIMIT 500
