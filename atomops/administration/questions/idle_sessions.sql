-- Client sessions of this database that have been idle over a limit, what they hold, and who waits for them.
WITH held AS MATERIALIZED (
  SELECT pid, count(*) AS locks,
         string_agg(DISTINCT relation::regclass::text || ' ' || mode, ', ')
           FILTER (WHERE locktype = 'relation' AND relation >= 16384
                     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS relations
  FROM pg_locks WHERE granted AND locktype <> 'virtualxid' GROUP BY pid
), blocking AS MATERIALIZED (
  SELECT blocker, array_agg(DISTINCT waiting ORDER BY waiting) AS waiting
  FROM (SELECT pid AS waiting, unnest(pg_blocking_pids(pid)) AS blocker
        FROM pg_stat_activity WHERE wait_event_type = 'Lock') AS waits
  GROUP BY blocker
)
SELECT activity.pid, backend_start, usename::text AS role, coalesce(application_name, '') AS application,
       coalesce(nullif(client_hostname, ''), host(client_addr), 'local') AS client, state, state_change,
       extract(epoch FROM clock_timestamp() - state_change)::float8 AS seconds,
       extract(epoch FROM clock_timestamp() - xact_start)::float8 AS transaction_seconds,
       left(regexp_replace(regexp_replace(query, '''([^'']|'''')*''', '''…''', 'g'), '\s+', ' ', 'g'), 160) AS query,
       coalesce(held.locks, 0) AS locks, coalesce(left(held.relations, 200), '') AS relations,
       coalesce(blocking.waiting, '{}') AS blocks,
       coalesce(rolsuper, false) AS is_superuser,
       NOT coalesce(rolsuper, false) AND pg_has_role(usesysid, 'pg_monitor', 'MEMBER') AS is_monitor,
       coalesce(application_name, '') LIKE 'atomops%%' AS is_ours,
       CASE WHEN (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN true
            WHEN coalesce(rolsuper, false) THEN false
            ELSE pg_has_role(usesysid, 'USAGE') OR pg_has_role('pg_signal_backend', 'USAGE') END AS may_signal
FROM pg_stat_activity AS activity
LEFT JOIN pg_roles ON pg_roles.oid = usesysid
LEFT JOIN held ON held.pid = activity.pid
LEFT JOIN blocking ON blocking.blocker = activity.pid
WHERE datname = current_database() AND backend_type = 'client backend' AND activity.pid <> pg_backend_pid()
  AND (state LIKE 'idle in transaction%%'
         AND extract(epoch FROM clock_timestamp() - state_change) >= %(in_transaction)s::float8
       OR state = 'idle' AND extract(epoch FROM clock_timestamp() - state_change) >= %(idle)s::float8)
ORDER BY state_change
LIMIT 2000
