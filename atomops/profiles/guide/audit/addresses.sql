-- tables: agent_execution

WITH seen AS (
    SELECT user_id::text AS user, split_part(ip_address::text, '/', 1) AS address, max(started_at) AS last, min(started_at) AS first
    FROM agent_execution
    WHERE started_at > now() - make_interval(days => %(days)s) AND started_at <= now() AND ip_address IS NOT NULL
    GROUP BY 1, 2
), recent AS (
    SELECT seen.user, address, first > now() - interval '1 hour' AS is_fresh, count(*) OVER (PARTITION BY seen.user) AS many
    FROM seen
    WHERE last > now() - interval '1 hour'
)
SELECT recent.user, (array_agg(address ORDER BY is_fresh DESC, address))[:20] AS addresses, max(many)::int AS many,
       coalesce((array_agg(address ORDER BY address) FILTER (WHERE is_fresh))[:20], '{}') AS fresh
FROM recent
GROUP BY 1
ORDER BY many DESC
LIMIT %(most)s
