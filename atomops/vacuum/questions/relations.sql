-- Every relation that somebody may name, our role's right to vacuum it, and what the statistics say of it.
-- Sizes are the pages that VACUUM and ANALYZE counted last: asking the files would wait behind every ALTER TABLE.
SELECT own.oid::int8 AS oid, space.nspname::text AS schema, own.relname::text AS name, own.relkind::text AS kind,
       own.relpersistence::text AS persistence, pg_get_userbyid(own.relowner)::text AS owner,
       CASE WHEN own.relkind IN ('r', 'm', 'p')
            THEN (NOT own.relisshared AND pg_has_role(here.datdba, 'USAGE')) OR {right} ELSE false END AS may_vacuum,
       own.relhassubclass AS has_children,
       CASE WHEN own.relispartition
            THEN (SELECT inhparent::int8 FROM pg_inherits WHERE inhrelid = own.oid LIMIT 1) END AS parent,
       (current_setting('block_size')::int8 * (own.relpages + coalesce(toast.relpages, 0) + coalesce(
          (SELECT sum(kept.relpages) FROM pg_index JOIN pg_class AS kept ON kept.oid = indexrelid
           WHERE indrelid = own.oid), 0)))::int8 AS pages,
       coalesce(pg_tablespace_location(coalesce(nullif(own.reltablespace, 0), here.dattablespace)), '') AS location,
       {state}
FROM pg_class AS own
JOIN pg_namespace AS space ON space.oid = own.relnamespace
JOIN pg_database AS here ON here.datname = current_database()
LEFT JOIN pg_class AS toast ON toast.oid = own.reltoastrelid
LEFT JOIN pg_stat_all_tables AS stats ON stats.relid = own.oid
WHERE own.relkind IN ('r', 'm', 'p', 'v', 'f', 'S', 'i', 'I', 't')
