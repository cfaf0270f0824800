-- The columns of large tables that are mostly read from end to end, as PG-SEQUENTIAL-SCANS finds them.
SELECT stats.schemaname::text AS schema, stats.relname::text AS name, n_live_tup AS rows,
       (current_setting('block_size')::int8 * own.relpages)::int8 AS size,
       seq_scan AS sequential_scans, seq_tup_read AS sequential_rows, coalesce(idx_scan, 0) AS index_scans,
       attname::text AS "column",
       (SELECT n_distinct FROM pg_stats WHERE pg_stats.schemaname = stats.schemaname
          AND tablename = stats.relname AND pg_stats.attname = part.attname AND NOT inherited)::float8 AS "distinct",
       EXISTS (SELECT FROM pg_index WHERE indrelid = relid AND indkey[0] = attnum AND indisvalid AND indpred IS NULL)
         AS leads_index
FROM pg_stat_user_tables AS stats
JOIN pg_class AS own ON own.oid = relid
JOIN pg_attribute AS part ON attrelid = relid AND attnum > 0 AND NOT attisdropped
WHERE n_live_tup >= 10000 AND seq_scan > coalesce(idx_scan, 0) AND seq_tup_read >= 10 * n_live_tup
ORDER BY seq_tup_read DESC, stats.schemaname, stats.relname, attnum
LIMIT 2000
