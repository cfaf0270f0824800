-- code: EPISODE-TIERS
-- section: Episodes
-- guarantee: How many episodes there are of each tier, and from when to when.
-- parts: episodes
-- tables: episode
-- value: all_episodes
-- unit: episodes
-- trend: episodes.count
-- source: operations guide
-- summary: {all_episodes} episodes; {most_of} of them are {tier}
-- empty: there is no episode
-- series: tier episodes
-- hide: all_episodes, most_of

-- This counts every row: where that takes longer than postgres.statement_timeout, it is UNKNOWN.
SELECT coalesce(storage_tier::text, '(none)') AS tier, count(*) AS episodes, min(created_at) AS oldest, max(created_at) AS newest,
       count(*) AS most_of, sum(count(*)) OVER ()::bigint AS all_episodes
FROM episode
GROUP BY 1
ORDER BY episodes DESC, 1
LIMIT %(limit)s
