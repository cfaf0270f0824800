SELECT space.nspname::text AS schema, owner.relname::text AS table, own.relname::text AS name,
       current_setting('block_size')::int8 * own.relpages AS size,
       format('REINDEX INDEX CONCURRENTLY %I.%I;', space.nspname, own.relname) AS statement
FROM pg_index
JOIN pg_class AS own ON own.oid = indexrelid AND own.relkind = 'i'
JOIN pg_class AS owner ON owner.oid = indrelid
JOIN pg_namespace AS space ON space.oid = own.relnamespace
WHERE NOT (indisvalid AND indisready)
  AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index AS building WHERE building.index_relid = indexrelid)
ORDER BY 1, 2, 3
