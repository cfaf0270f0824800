-- Sizes are the pages that the last VACUUM or ANALYZE counted: asking the files would wait behind every ALTER TABLE.
SELECT stats.schemaname::text AS schema, stats.relname::text AS name,
       n_live_tup AS live_rows, n_dead_tup AS dead_rows, n_tup_ins + n_tup_upd + n_tup_del AS writes,
       (current_setting('block_size')::int8 * (own.relpages + coalesce(toast.relpages, 0) + coalesce(
          (SELECT sum(kept.relpages) FROM pg_index JOIN pg_class AS kept ON kept.oid = indexrelid WHERE indrelid = relid), 0)))::int8
         AS size,
       extract(epoch FROM now() - greatest(last_vacuum, last_autovacuum))::float8 AS vacuum_age,
       extract(epoch FROM now() - greatest(last_analyze, last_autoanalyze))::float8 AS analyze_age,
       coalesce(seq_scan, 0) AS sequential_scans, coalesce(seq_tup_read, 0) AS sequential_rows,
       coalesce(idx_scan, 0) AS index_scans
FROM pg_stat_user_tables AS stats
JOIN pg_class AS own ON own.oid = relid
LEFT JOIN pg_class AS toast ON toast.oid = own.reltoastrelid
ORDER BY size DESC, live_rows DESC
LIMIT 2000
