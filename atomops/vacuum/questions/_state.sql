stats.n_live_tup AS live_rows, stats.n_dead_tup AS dead_rows,
greatest(CASE WHEN own.relfrozenxid <> '0' THEN age(own.relfrozenxid) END,
         CASE WHEN toast.relfrozenxid <> '0' THEN age(toast.relfrozenxid) END) AS xid_age,
greatest(CASE WHEN own.relminmxid <> '0' THEN mxid_age(own.relminmxid) END,
         CASE WHEN toast.relminmxid <> '0' THEN mxid_age(toast.relminmxid) END) AS multixact_age,
extract(epoch FROM clock_timestamp() - greatest(stats.last_vacuum, stats.last_autovacuum))::float8 AS since_vacuum,
extract(epoch FROM clock_timestamp() - greatest(stats.last_analyze, stats.last_autoanalyze))::float8 AS since_analyze,
stats.vacuum_count AS vacuums, stats.analyze_count AS analyzes, pg_relation_filenode(own.oid)::int8 AS filenode
