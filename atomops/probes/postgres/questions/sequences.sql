-- needs: pg_read_all_data
-- The end is where the sequence or the type of the column that it feeds ends, whichever comes first.
SELECT own.oid::regclass::text AS name,
       CASE WHEN attname IS NOT NULL THEN owner.oid::regclass::text || '.' || quote_ident(attname) END AS column,
       last.value AS last_value, ending.value AS maximum,
       (100.0 * last.value / ending.value)::float8 AS used_percent
FROM pg_sequence
JOIN pg_class AS own ON own.oid = seqrelid
LEFT JOIN pg_depend AS link ON link.classid = 'pg_class'::regclass AND link.objid = seqrelid AND link.deptype IN ('a', 'i')
  AND link.refclassid = 'pg_class'::regclass AND link.refobjsubid > 0
LEFT JOIN pg_class AS owner ON owner.oid = link.refobjid
LEFT JOIN pg_attribute ON attrelid = link.refobjid AND attnum = link.refobjsubid
CROSS JOIN LATERAL (
  SELECT least(seqmax, CASE atttypid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647 ELSE seqmax END) AS value
) AS ending
CROSS JOIN LATERAL (
  SELECT CASE WHEN has_sequence_privilege(seqrelid, 'SELECT, USAGE') THEN coalesce(pg_sequence_last_value(seqrelid), 0) END AS value
) AS last
WHERE seqincrement > 0 AND NOT seqcycle AND own.relpersistence <> 't'
ORDER BY used_percent DESC NULLS FIRST
LIMIT 200
