-- needs: pg_monitor
SELECT application_name AS name, client_addr::text AS address, state,
       coalesce(extract(epoch FROM replay_lag), 0)::float8 AS lag,
       coalesce(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END,
                                replay_lsn), 0)::int8 AS lag_bytes
FROM pg_stat_replication
ORDER BY lag_bytes DESC
