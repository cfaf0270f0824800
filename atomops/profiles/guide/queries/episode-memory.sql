-- code: EPISODE-MEMORY
-- section: Episodes
-- guarantee: What the tables of the episodic memory take on the disk, with their indexes, TOAST and partitions.
-- parts: episodes
-- tables: episode, episode_segment
-- value: all_bytes
-- unit: bytes
-- trend: episodes.size
-- source: operations guide
-- summary: the episodic memory takes {all_size}, {size} of it {name}
-- series: name bytes
-- hide: bytes, all_bytes, all_size

WITH relations AS (
  SELECT name, name::regclass AS whole FROM unnest(ARRAY['episode', 'episode_segment']) AS name
), parts AS (
  SELECT name, whole AS part FROM relations
  UNION
  SELECT name, tree.relid FROM relations CROSS JOIN pg_partition_tree(whole) AS tree
), sizes AS (
  SELECT name, sum(pg_total_relation_size(part))::bigint AS bytes,
         sum(pg_indexes_size(part)) AS indexes,
         sum(coalesce(pg_total_relation_size(nullif(reltoastrelid, 0)), 0)) AS toast,
         sum(greatest(reltuples, 0)) FILTER (WHERE relkind <> 'p')::bigint AS estimated_rows,
         sum(coalesce(pg_stat_get_dead_tuples(part), 0))::bigint AS dead_rows
  FROM parts JOIN pg_class ON pg_class.oid = part
  GROUP BY name
)
SELECT name, pg_size_pretty(bytes) AS size, pg_size_pretty(bytes - indexes - toast) AS rows_alone,
       pg_size_pretty(indexes) AS indexes, pg_size_pretty(toast) AS toast, estimated_rows, dead_rows, bytes,
       sum(bytes) OVER ()::bigint AS all_bytes, pg_size_pretty(sum(bytes) OVER ()) AS all_size
FROM sizes
ORDER BY bytes DESC, name
