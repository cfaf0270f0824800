-- How many there are of each kind. What belongs to an extension comes with it, in whatever version it is there.
WITH spaces AS (
    SELECT oid, nspname FROM pg_namespace WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
),
found (class, id, kind) AS (
    SELECT 'pg_namespace'::regclass, oid, 'schema' FROM spaces
    WHERE nspname <> 'public'  -- every new database has it, whatever became of it in the old one
    UNION ALL
    SELECT 'pg_class'::regclass, oid,
           CASE relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view'
                        WHEN 'm' THEN 'materialised view' WHEN 'f' THEN 'foreign table' WHEN 'S' THEN 'sequence'
                        WHEN 'c' THEN 'composite type' END
    FROM pg_class
    WHERE relnamespace IN (SELECT oid FROM spaces) AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')
      AND relpersistence <> 't'
    UNION ALL
    SELECT 'pg_class'::regclass, indrelid, CASE WHEN indisvalid OR relkind = 'I' THEN 'index' ELSE 'invalid index' END
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE relnamespace IN (SELECT oid FROM spaces) AND relpersistence <> 't'
    UNION ALL
    SELECT 'pg_constraint'::regclass, oid,
           CASE contype WHEN 'c' THEN 'check constraint' WHEN 'f' THEN 'foreign key' WHEN 'p' THEN 'primary key'
                        WHEN 'u' THEN 'unique constraint' WHEN 'x' THEN 'exclusion constraint' END
           || CASE WHEN convalidated THEN '' ELSE ' (not validated)' END
    FROM pg_constraint
    WHERE connamespace IN (SELECT oid FROM spaces) AND contype IN ('c', 'f', 'p', 'u', 'x') AND conparentid = 0
    UNION ALL
    SELECT 'pg_class'::regclass, tgrelid, 'trigger' FROM pg_trigger WHERE NOT tgisinternal AND tgparentid = 0
    UNION ALL
    SELECT 'pg_proc'::regclass, oid, 'function' FROM pg_proc
    WHERE pronamespace IN (SELECT oid FROM spaces)
      AND NOT EXISTS (SELECT FROM pg_depend  -- those of a range type, of which newer versions make more
                      WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'i')
    UNION ALL
    SELECT 'pg_type'::regclass, oid, CASE typtype WHEN 'e' THEN 'enumeration' WHEN 'd' THEN 'domain' ELSE 'range' END
    FROM pg_type WHERE typnamespace IN (SELECT oid FROM spaces) AND typtype IN ('e', 'd', 'r')
    UNION ALL
    SELECT 'pg_class'::regclass, polrelid, 'row security policy' FROM pg_policy
    UNION ALL
    SELECT 'pg_class'::regclass, ev_class, 'rule' FROM pg_rewrite
    JOIN pg_class ON pg_class.oid = ev_class
    WHERE rulename <> '_RETURN' AND relnamespace IN (SELECT oid FROM spaces)
    UNION ALL
    SELECT 'pg_event_trigger'::regclass, oid, 'event trigger' FROM pg_event_trigger
    UNION ALL
    SELECT 'pg_collation'::regclass, oid, 'collation' FROM pg_collation WHERE collnamespace IN (SELECT oid FROM spaces)
    UNION ALL
    SELECT 'pg_operator'::regclass, oid, 'operator' FROM pg_operator WHERE oprnamespace IN (SELECT oid FROM spaces)
)
SELECT kind AS name, count(*) AS number
FROM found
WHERE NOT EXISTS (SELECT FROM pg_depend WHERE classid = class AND objid = id AND deptype = 'e')
GROUP BY kind
ORDER BY kind
