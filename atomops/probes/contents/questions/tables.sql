-- Every table whose rows a dump holds. Rows of a partition count for its topmost ancestor when one above it is split by
-- hash: those may land in another partition when they are restored.
-- `by_text`: a hash of the row itself would not be the same in a copy (oids of enumerations and reg* names differ there),
-- would be the same for other rows (texts that their collation takes as equal), or there is none (json, xml, point, ...).
-- `condition`: what a dump takes of an extension's own table.
WITH RECURSIVE member AS (
    SELECT objid, refobjid AS extension FROM pg_depend WHERE classid = 'pg_class'::regclass AND deptype = 'e'
),
up AS (
    SELECT inhrelid AS leaf, inhparent AS ancestor, 1 AS height FROM pg_inherits
    UNION ALL
    SELECT leaf, inhparent, height + 1 FROM up JOIN pg_inherits ON inhrelid = ancestor
),
split_by_hash AS (
    SELECT DISTINCT ON (leaf) leaf, ancestor
    FROM up JOIN pg_partitioned_table ON partrelid = ancestor
    WHERE partstrat = 'h'
    ORDER BY leaf, height DESC
),
inside AS (
    SELECT DISTINCT atttypid AS outer_type, atttypid AS inner_type
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relkind = 'r' AND attnum > 0 AND NOT attisdropped
    UNION
    SELECT outer_type, part
    FROM inside
    JOIN pg_type ON pg_type.oid = inner_type
    CROSS JOIN LATERAL (
        SELECT typbasetype WHERE typtype = 'd'
        UNION ALL SELECT typelem WHERE typelem <> 0
        UNION ALL SELECT rngsubtype FROM pg_range WHERE rngtypid = inner_type
        UNION ALL SELECT atttypid FROM pg_attribute WHERE attrelid = typrelid AND attnum > 0 AND NOT attisdropped
    ) AS of (part)
),
unlike AS (
    SELECT DISTINCT outer_type
    FROM inside JOIN pg_type ON pg_type.oid = inner_type
    WHERE typtype = 'e'
       OR typname LIKE 'reg%' AND typnamespace = 'pg_catalog'::regnamespace
       OR typname IN ('json', 'xml', 'point', 'box', 'path', 'polygon', 'line', 'lseg', 'circle', 'aclitem')
)
SELECT
    format('%I.%I', nspname, relname) AS name,
    (SELECT format('%I.%I', root.relnamespace::regnamespace::text, root.relname)
     FROM split_by_hash JOIN pg_class AS root ON root.oid = ancestor WHERE leaf = pg_class.oid) AS counts_for,
    ARRAY(SELECT format('%I', attname) FROM pg_attribute
          WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped ORDER BY attname COLLATE "C") AS columns,
    EXISTS (SELECT FROM pg_attribute
            WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
              AND (atttypid IN (SELECT outer_type FROM unlike)
                   OR attcollation IN (SELECT oid FROM pg_collation WHERE NOT collisdeterministic))) AS by_text,
    coalesce((SELECT condition
              FROM member
              JOIN pg_extension ON pg_extension.oid = extension
              CROSS JOIN LATERAL unnest(extconfig, extcondition) AS config (tab, condition)
              WHERE member.objid = pg_class.oid AND tab = pg_class.oid), '') AS condition,
    relpersistence = 'u' AS is_unlogged,
    pg_relation_size(pg_class.oid) AS bytes
FROM pg_class
JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind = 'r'
  AND relpersistence <> 't'
  AND nspname <> 'information_schema' AND nspname !~ '^pg_'
  AND (NOT EXISTS (SELECT FROM member WHERE objid = pg_class.oid)
       OR EXISTS (SELECT FROM pg_extension WHERE pg_class.oid = ANY (extconfig)))
ORDER BY bytes DESC, name
