SELECT gid, database::text AS database, extract(epoch FROM clock_timestamp() - prepared)::float8 AS age
FROM pg_prepared_xacts
ORDER BY prepared
