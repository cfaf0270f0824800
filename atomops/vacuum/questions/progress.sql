-- How far the sessions of these backends are, each from 0 to 1, whatever they do just now.
SELECT pid, CASE WHEN heap_blks_total > 0
                 THEN (heap_blks_scanned + heap_blks_vacuumed) / (2.0 * heap_blks_total) END::float8 AS done
FROM pg_stat_progress_vacuum WHERE pid = ANY (%(pids)s)
UNION ALL
SELECT pid, CASE WHEN heap_blks_total > 0 THEN 0.7 * heap_blks_scanned / heap_blks_total END::float8
FROM pg_stat_progress_cluster WHERE pid = ANY (%(pids)s)
UNION ALL
SELECT pid, CASE WHEN sample_blks_total > 0 THEN 0.95 + 0.05 * sample_blks_scanned / sample_blks_total END::float8
FROM pg_stat_progress_analyze WHERE pid = ANY (%(pids)s)
