-- needs: pg_monitor
-- extension: pg_stat_statements
-- Column names follow the installed extension (total_exec_time since 1.8), not the server: so they are asked by name.
-- Utility statements keep their literals, a password among them: so all are masked.
SELECT left(regexp_replace(regexp_replace(query, '''([^'']|'''')*''', '''…''', 'g'), '\s+', ' ', 'g'), 160) AS query, calls,
       coalesce(row ->> 'mean_exec_time', row ->> 'mean_time')::float8 / 1000 AS mean,
       coalesce(row ->> 'max_exec_time', row ->> 'max_time')::float8 / 1000 AS maximum,
       coalesce(row ->> 'total_exec_time', row ->> 'total_time')::float8 / 1000 AS total
FROM (SELECT query, calls, to_jsonb(statements) - 'query' AS row
      FROM {extension}.pg_stat_statements AS statements
      WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())) AS statements
WHERE calls >= 3
ORDER BY mean DESC
LIMIT 20
