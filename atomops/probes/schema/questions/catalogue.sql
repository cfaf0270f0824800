-- Every object of the schema with its definition, but what belongs to an extension. Owners are left out: a copy has others.
WITH spaces AS (
    SELECT oid, nspname FROM pg_namespace WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
),
relations AS (
    SELECT pg_class.*, format('%I.%I', nspname, relname) AS named
    FROM pg_class JOIN spaces ON spaces.oid = relnamespace
    WHERE relpersistence <> 't'
),
found (class, id, thing, definition) AS (
    SELECT 'pg_namespace'::regclass, oid, format('schema %I', nspname), '' FROM spaces
    UNION ALL
    SELECT 'pg_extension'::regclass, oid, format('extension %I', extname), extversion FROM pg_extension
    UNION ALL
    SELECT 'pg_class'::regclass, oid,
           CASE relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' ELSE 'foreign table' END || ' ' || named,
           concat_ws(' ', relpersistence::text, reloptions::text, pg_get_expr(relpartbound, oid),
                     CASE WHEN relkind = 'p' THEN pg_get_partkeydef(oid) END,
                     CASE WHEN relrowsecurity THEN 'row security' END, CASE WHEN relforcerowsecurity THEN 'forced' END)
    FROM relations WHERE relkind IN ('r', 'p', 'f')
    UNION ALL
    SELECT 'pg_class'::regclass, oid, CASE relkind WHEN 'v' THEN 'view ' ELSE 'materialised view ' END || named,
           pg_get_viewdef(oid)
    FROM relations WHERE relkind IN ('v', 'm')
    UNION ALL
    SELECT 'pg_class'::regclass, relations.oid, 'sequence ' || named,
           format('%s from %s by %s, %s to %s%s', format_type(seqtypid, NULL), seqstart, seqincrement, seqmin, seqmax,
                  CASE WHEN seqcycle THEN ', again' ELSE '' END)
    FROM relations JOIN pg_sequence ON seqrelid = relations.oid
    UNION ALL
    SELECT 'pg_class'::regclass, relations.oid, format('column %s.%I', named, attname),
           concat_ws(' ', format_type(atttypid, atttypmod),
                     CASE WHEN attcollation <> typcollation THEN 'collate ' || attcollation::regcollation::text END,
                     CASE WHEN attnotnull THEN 'not null' END,
                     CASE WHEN attidentity <> '' THEN 'identity ' || attidentity::text END,
                     CASE WHEN attgenerated <> '' THEN 'generated' ELSE 'default' END
                     || ' ' || pg_get_expr(adbin, adrelid),
                     'comment ' || quote_literal(col_description(relations.oid, attnum)))
    FROM relations
    JOIN pg_attribute ON attrelid = relations.oid AND attnum > 0 AND NOT attisdropped
    JOIN pg_type ON pg_type.oid = atttypid
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE relkind IN ('r', 'p', 'f', 'c')
    UNION ALL
    SELECT 'pg_class'::regclass, indrelid, 'index ' || named,
           pg_get_indexdef(indexrelid) || CASE WHEN indisvalid THEN '' ELSE ' INVALID' END
    FROM relations JOIN pg_index ON indexrelid = relations.oid
    UNION ALL
    SELECT 'pg_constraint'::regclass, pg_constraint.oid,
           format('constraint %s%I', coalesce(named || '.', ''), conname), pg_get_constraintdef(pg_constraint.oid)
    FROM pg_constraint
    JOIN spaces ON spaces.oid = connamespace
    LEFT JOIN relations ON relations.oid = conrelid
    WHERE contype <> 'n'  -- a column's NOT NULL, which is said there, since 18
    UNION ALL
    SELECT 'pg_class'::regclass, tgrelid, format('trigger %s.%I', named, tgname),
           pg_get_triggerdef(pg_trigger.oid) || ' ' || tgenabled::text
    FROM pg_trigger JOIN relations ON relations.oid = tgrelid WHERE NOT tgisinternal
    UNION ALL
    SELECT 'pg_proc'::regclass, pg_proc.oid,
           format('function %I.%I(%s)', nspname, proname, pg_get_function_identity_arguments(pg_proc.oid)),
           CASE WHEN prokind IN ('f', 'p') THEN md5(pg_get_functiondef(pg_proc.oid)) ELSE prokind::text END
    FROM pg_proc JOIN spaces ON spaces.oid = pronamespace
    UNION ALL
    SELECT 'pg_type'::regclass, pg_type.oid, format('type %I.%I', nspname, typname),
           CASE typtype WHEN 'e' THEN (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder)
                                       FROM pg_enum WHERE enumtypid = pg_type.oid)
                        WHEN 'd' THEN concat_ws(' ', format_type(typbasetype, typtypmod), typdefault) ELSE 'range' END
    FROM pg_type JOIN spaces ON spaces.oid = typnamespace WHERE typtype IN ('e', 'd', 'r')
    UNION ALL
    SELECT 'pg_class'::regclass, polrelid, format('policy %s.%I', named, polname),
           concat_ws(' ', polcmd::text, polroles::regrole[]::text, pg_get_expr(polqual, polrelid),
                     pg_get_expr(polwithcheck, polrelid))
    FROM pg_policy JOIN relations ON relations.oid = polrelid
    UNION ALL
    SELECT 'pg_class'::regclass, ev_class, format('rule %s.%I', named, rulename), pg_get_ruledef(pg_rewrite.oid)
    FROM pg_rewrite JOIN relations ON relations.oid = ev_class WHERE rulename <> '_RETURN'
    UNION ALL
    SELECT 'pg_class'::regclass, oid, 'grants on ' || named,
           (SELECT string_agg(each::text, ', ' ORDER BY each::text) FROM unnest(relacl) AS each)
    FROM relations WHERE relacl IS NOT NULL
    UNION ALL
    SELECT 'pg_class'::regclass, oid, 'comment on ' || named, obj_description(oid, 'pg_class')
    FROM relations WHERE obj_description(oid, 'pg_class') IS NOT NULL
)
SELECT thing, coalesce(definition, '')
FROM found
WHERE NOT EXISTS (SELECT FROM pg_depend WHERE classid = class AND objid = id AND deptype = 'e')
ORDER BY thing
