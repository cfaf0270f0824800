-- code: EPISODE-TIERS
-- section: Episodes
-- guarantee: How many episodes there are of each status, and from when to when.
-- parts: episodes
-- tables: agent_episodes
-- value: all_episodes
-- unit: episodes
-- trend: episodes.count
-- source: operations guide
-- summary: {all_episodes} episodes; {most_of} of them are {status}
-- empty: there is no episode
-- series: status episodes
-- hide: all_episodes, most_of

-- This counts every row: where that takes longer than postgres.statement_timeout, it is UNKNOWN.
SELECT coalesce(status::text, '(none)') AS status, count(*) AS episodes, min(started_at) AS oldest, max(started_at) AS newest,
       count(*) AS most_of, sum(count(*)) OVER ()::bigint AS all_episodes
FROM agent_episodes
GROUP BY 1
ORDER BY episodes DESC, 1
LIMIT %(limit)s
