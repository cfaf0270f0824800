SELECT current_setting('archive_mode') AS mode,
       coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false) AS failing,
       last_failed_wal AS last_failed, failed_count AS failures,
       extract(epoch FROM now() - last_archived_time)::float8 AS last_success_age
FROM pg_stat_archiver
