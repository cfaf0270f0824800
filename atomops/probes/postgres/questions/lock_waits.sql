-- needs: pg_monitor
-- Since 14 the lock tells when the wait began; before that the statement's start is the nearest truth.
SELECT waiting.pid, waiting.usename::text AS role,
       extract(epoch FROM clock_timestamp() - coalesce(min((to_jsonb(lock) ->> 'waitstart')::timestamptz), waiting.query_start))::float8
         AS waiting,
       array_to_string(pg_blocking_pids(waiting.pid), ', ') AS blockers,
       left(regexp_replace(regexp_replace(waiting.query, '''([^'']|'''')*''', '''…''', 'g'), '\s+', ' ', 'g'), 160) AS query
FROM pg_stat_activity AS waiting
JOIN pg_locks AS lock ON lock.pid = waiting.pid AND NOT lock.granted
WHERE cardinality(pg_blocking_pids(waiting.pid)) > 0
GROUP BY waiting.pid, waiting.usename, waiting.query_start, waiting.query
ORDER BY waiting DESC
LIMIT 100
