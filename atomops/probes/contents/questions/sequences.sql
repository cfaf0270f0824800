-- Every sequence that a dump holds; NULL for one that was never used, or that goes back by itself at its end.
SELECT format('%I.%I', nspname, relname) AS name,
       CASE WHEN NOT seqcycle THEN pg_sequence_last_value(pg_class.oid) END AS value, seqincrement AS increment
FROM pg_class
JOIN pg_namespace ON pg_namespace.oid = relnamespace
JOIN pg_sequence ON seqrelid = pg_class.oid
WHERE relpersistence <> 't'
  AND (relpersistence <> 'u' OR NOT pg_is_in_recovery())
  AND NOT EXISTS (SELECT FROM pg_depend
                  WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')
ORDER BY name
