-- Who has a lock on a table: sessions, autovacuum workers (one that only analyses is none of those meant by
-- is_autovacuum), and transactions that were prepared and left.
SELECT coalesce('the prepared transaction ' || quote_literal(prepared.gid), 'backend ' || held.pid,
                'a prepared transaction') AS name,
       held.mode,
       coalesce(activity.backend_type = 'autovacuum worker' AND starts_with(activity.query, 'autovacuum: VACUUM'), false)
         AS is_autovacuum,
       concat_ws(', ', activity.usename, nullif(activity.application_name, ''), activity.state,
                 'for ' || round(extract(epoch FROM clock_timestamp() - activity.xact_start)) || ' s',
                 left(regexp_replace(regexp_replace(activity.query, '''([^'']|'''')*''', '''…''', 'g'),
                                     '\s+', ' ', 'g'), 120)) AS detail
FROM pg_locks AS held
LEFT JOIN pg_stat_activity AS activity ON activity.pid = held.pid
LEFT JOIN pg_locks AS own ON held.pid IS NULL AND own.pid IS NULL AND own.locktype = 'transactionid'
                         AND own.virtualtransaction = held.virtualtransaction AND own.granted
LEFT JOIN pg_prepared_xacts AS prepared ON prepared.transaction = own.transactionid
WHERE held.locktype = 'relation' AND held.granted AND held.relation = %s
  AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND held.pid IS DISTINCT FROM pg_backend_pid()
ORDER BY activity.xact_start NULLS FIRST
LIMIT 20
