SELECT stats.schemaname::text AS schema, stats.relname::text AS table, stats.indexrelname::text AS name,
       current_setting('block_size')::int8 * own.relpages AS size,
       format('DROP INDEX CONCURRENTLY %I.%I;', stats.schemaname, stats.indexrelname) AS statement
FROM pg_stat_user_indexes AS stats
JOIN pg_index ON pg_index.indexrelid = stats.indexrelid
JOIN pg_class AS own ON own.oid = stats.indexrelid
WHERE idx_scan = 0 AND NOT indisunique AND indisvalid
  AND current_setting('block_size')::int8 * own.relpages >= 10 * 1024 * 1024
ORDER BY size DESC
LIMIT 100
