-- Same table, columns, order, operators, expressions and condition: one of them is only work.
SELECT space.nspname::text AS schema, owner.relname::text AS table,
       string_agg(own.relname::text, ', ' ORDER BY indisprimary DESC, indisunique DESC, own.oid) AS name,
       (current_setting('block_size')::int8 * sum(own.relpages))::int8 AS size,
       format('DROP INDEX CONCURRENTLY %I.%I;', space.nspname,
              (array_agg(own.relname ORDER BY indisprimary, indisunique, own.oid DESC))[1]) AS statement
FROM pg_index
JOIN pg_class AS own ON own.oid = indexrelid AND own.relkind = 'i'
JOIN pg_class AS owner ON owner.oid = indrelid
JOIN pg_namespace AS space ON space.oid = owner.relnamespace
WHERE space.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema')
GROUP BY space.nspname, owner.relname, indrelid, own.relam, indkey::text, indclass::text, indcollation::text,
         indoption::text, coalesce(pg_get_expr(indexprs, indrelid), ''), coalesce(pg_get_expr(indpred, indrelid), '')
HAVING count(*) > 1
ORDER BY size DESC
LIMIT 100
