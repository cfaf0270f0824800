-- needs: pg_monitor
SELECT usename::text AS role, application_name AS application, state, count(*) AS sessions
FROM pg_stat_activity
WHERE backend_type = 'client backend'
GROUP BY 1, 2, 3
ORDER BY sessions DESC
