-- The tables of these names, as the statements write them: the server finds them as it would for a statement.
SELECT format('%%I.%%I', relnamespace::regnamespace::text, relname) AS name,
       greatest(reltuples, 0)::bigint AS rows,
       pg_total_relation_size(pg_class.oid)::bigint AS bytes
FROM pg_class
WHERE oid IN (SELECT to_regclass(name) FROM unnest(%s::text[]) AS name) AND relkind IN ('r', 'p', 'm')
ORDER BY bytes DESC, name
