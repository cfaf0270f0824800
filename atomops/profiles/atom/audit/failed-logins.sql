-- tables: saas_audit_logs

SELECT coalesce(user_email, '') AS account, coalesce(ip_address, '') AS address, count(*) AS count,
       min("timestamp") AS first, max("timestamp") AS last, sum(count(*)) OVER ()::bigint AS total
FROM saas_audit_logs
WHERE action = 'login_failed' AND "timestamp" > now() - make_interval(secs => %(hours)s * 3600) AND "timestamp" <= now()
GROUP BY 1, 2
ORDER BY count DESC, last DESC
LIMIT %(most)s
