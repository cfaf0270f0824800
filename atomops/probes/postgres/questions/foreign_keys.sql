-- Without such an index every DELETE or UPDATE of the referenced row reads the whole table.
SELECT conrelid::regclass::text AS table, conname::text AS name, columns.list AS columns,
       format('CREATE INDEX CONCURRENTLY ON %s (%s);', conrelid::regclass, columns.list) AS statement
FROM pg_constraint
CROSS JOIN LATERAL (
  SELECT string_agg(quote_ident(attname), ', ' ORDER BY place) AS list
  FROM unnest(conkey) WITH ORDINALITY AS part (number, place)
  JOIN pg_attribute ON attrelid = conrelid AND attnum = part.number
) AS columns
WHERE contype = 'f' AND conparentid = 0
  AND NOT EXISTS (
    SELECT FROM pg_index
    WHERE indrelid = conrelid AND indisvalid AND indpred IS NULL
      AND (string_to_array(indkey::text, ' ')::int2[])[1:cardinality(conkey)] @> conkey)
ORDER BY 1, 2
LIMIT 200
