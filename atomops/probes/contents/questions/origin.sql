-- The database as a whole: what a restore needs from its surroundings, and what is in no dump.
SELECT
    datname AS database,
    current_setting('server_version') AS server_version,
    pg_get_userbyid(datdba)::text AS owner,
    coalesce(shobj_description(pg_database.oid, 'pg_database'), '') AS comment,
    datconnlimit AS connection_limit,
    pg_encoding_to_char(encoding) AS encoding,
    datcollate AS locale,
    pg_database_size(pg_database.oid) AS bytes,
    (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END)::text AS lsn,
    (SELECT coalesce(json_object_agg(extname, extversion ORDER BY extname), '{}') FROM pg_extension) AS extensions,
    ARRAY(
        SELECT rolname::text FROM pg_shdepend JOIN pg_roles ON pg_roles.oid = refobjid
        WHERE refclassid = 'pg_authid'::regclass
          AND (dbid = pg_database.oid
               OR dbid = 0 AND classid = 'pg_database'::regclass AND objid = pg_database.oid)
        UNION SELECT pg_get_userbyid(datdba)::text
        UNION SELECT pg_get_userbyid(relowner)::text FROM pg_class
              WHERE relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^pg_')
        UNION SELECT pg_get_userbyid(proowner)::text FROM pg_proc
        UNION SELECT pg_get_userbyid(nspowner)::text FROM pg_namespace
        ORDER BY 1
    ) AS roles,
    ARRAY(  -- whom a restore gives something to; an extension's own things belong to whoever creates it
        SELECT pg_get_userbyid(owner)::text
        FROM (
            SELECT classid, objid, refobjid FROM pg_shdepend
            WHERE refclassid = 'pg_authid'::regclass AND deptype = 'o' AND dbid = pg_database.oid
              AND classid <> 'pg_extension'::regclass
            UNION SELECT 'pg_class'::regclass, oid, relowner FROM pg_class  -- the first superuser has no entry there
                  WHERE oid >= 16384 AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND relpersistence <> 't'
            UNION SELECT 'pg_proc'::regclass, oid, proowner FROM pg_proc WHERE oid >= 16384
            UNION SELECT 'pg_namespace'::regclass, oid, nspowner FROM pg_namespace
                  WHERE oid >= 16384 AND nspname !~ '^pg_'
            UNION SELECT 'pg_type'::regclass, oid, typowner FROM pg_type
                  WHERE oid >= 16384 AND typtype IN ('e', 'd', 'r') AND typnamespace <> 'pg_toast'::regnamespace
            UNION SELECT 'pg_publication'::regclass, oid, pubowner FROM pg_publication
            UNION SELECT 'pg_event_trigger'::regclass, oid, evtowner FROM pg_event_trigger
            UNION SELECT 'pg_foreign_server'::regclass, oid, srvowner FROM pg_foreign_server
            UNION SELECT 'pg_foreign_data_wrapper'::regclass, oid, fdwowner FROM pg_foreign_data_wrapper
            UNION SELECT 'pg_largeobject'::regclass, oid, lomowner FROM pg_largeobject_metadata
        ) AS owned (class, id, owner)
        WHERE NOT EXISTS (SELECT FROM pg_depend WHERE classid = class AND objid = id AND deptype = 'e')
        GROUP BY owner ORDER BY 1
    ) AS owners,
    ARRAY(SELECT rolname::text FROM pg_roles WHERE rolsuper ORDER BY 1) AS superusers,
    coalesce(to_jsonb(pg_database) ->> 'datlocprovider', 'c') AS locale_provider,  -- since 15
    coalesce(to_jsonb(pg_database) ->> 'datlocale', to_jsonb(pg_database) ->> 'daticulocale', '') AS provider_locale,
    ARRAY(
        SELECT coalesce((SELECT rolname || ': ' FROM pg_roles WHERE pg_roles.oid = setrole), '') || setting
        FROM pg_db_role_setting CROSS JOIN unnest(setconfig) AS setting
        WHERE setdatabase = pg_database.oid ORDER BY 1
    ) AS settings,
    coalesce(datacl::text[], '{}') AS grants,
    ARRAY(SELECT slot_name::text FROM pg_replication_slots WHERE pg_replication_slots.database = datname ORDER BY 1) AS slots,
    ARRAY(SELECT subname::text FROM pg_subscription WHERE subdbid = pg_database.oid ORDER BY 1) AS subscriptions,
    ARRAY(
        SELECT format('%s: %s', spcname, pg_tablespace_location(pg_tablespace.oid)) FROM pg_tablespace
        WHERE spcname !~ '^pg_' ORDER BY 1
    ) AS tablespaces
FROM pg_database
WHERE datname = current_database()
