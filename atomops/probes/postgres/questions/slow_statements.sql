-- needs: pg_monitor
-- extension: pg_stat_statements
-- Column names follow the installed extension: total_exec_time since 1.8, shared_blk_read_time since 1.11.
-- Utility statements keep their literals, a password among them: so all are masked.
SELECT left(text, 160) AS query, text, calls, mean, longest, total, rows,
       coalesce(total / nullif(sum(total) OVER (), 0), 0)::float8 AS share,
       hit / nullif(hit + read, 0) AS hit_ratio,
       (temporary * current_setting('block_size')::int8)::int8 AS temporary_bytes,
       CASE WHEN current_setting('track_io_timing')::bool THEN read_time END AS read_time
FROM (SELECT left(regexp_replace(regexp_replace(query, '''([^'']|'''')*''', '''…''', 'g'), '\s+', ' ', 'g'), 4000) AS text,
             calls, rows,
             coalesce(row ->> 'mean_exec_time', row ->> 'mean_time')::float8 / 1000 AS mean,
             coalesce(row ->> 'max_exec_time', row ->> 'max_time')::float8 / 1000 AS longest,
             coalesce(row ->> 'total_exec_time', row ->> 'total_time')::float8 / 1000 AS total,
             (row ->> 'shared_blks_hit')::float8 AS hit, (row ->> 'shared_blks_read')::float8 AS read,
             (row ->> 'temp_blks_written')::int8 AS temporary,
             coalesce(row ->> 'shared_blk_read_time', row ->> 'blk_read_time')::float8 / 1000 AS read_time
      FROM (SELECT query, calls, rows, to_jsonb(statements) - 'query' AS row
            FROM {extension}.pg_stat_statements AS statements
            WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())) AS statements) AS statements
WHERE calls > 0
ORDER BY total DESC
LIMIT 60
