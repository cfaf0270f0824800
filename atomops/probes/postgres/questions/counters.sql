-- Cumulative counters; the row without a database counts shared objects.
SELECT datname::text AS database, deadlocks, temp_files, temp_bytes, checksum_failures, stats_reset
FROM pg_stat_database
ORDER BY datname NULLS FIRST
