-- The server itself, and what our role may see.
SELECT current_setting('server_version') AS version,
       current_setting('server_version_num')::int AS version_number,
       extract(epoch FROM now() - pg_postmaster_start_time())::float8 AS uptime,
       extract(epoch FROM clock_timestamp())::float8 AS clock,
       pg_is_in_recovery() AS is_replica,
       CASE WHEN NOT pg_is_in_recovery() THEN NULL
            WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
            ELSE extract(epoch FROM now() - pg_last_xact_replay_timestamp())::float8 END AS replay_delay,
       current_database()::text AS database,
       current_user::text AS role,
       pg_has_role('pg_monitor', 'usage') AS is_monitor,
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
         - coalesce(current_setting('reserved_connections', true), '0')::int AS connection_limit
