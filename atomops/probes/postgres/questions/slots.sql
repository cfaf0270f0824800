SELECT slot_name::text AS name, slot_type AS kind, active, wal_status,
       coalesce(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END,
                                restart_lsn), 0)::int8 AS retained
FROM pg_replication_slots
ORDER BY retained DESC
