-- code: EPISODE-CONSOLIDATION
-- section: Episodes
-- guarantee: Episodes that are ready for consolidation, by agent, with how often they were used and what they are worth.
-- parts: episodes
-- tables: episode
-- value: all_ready
-- unit: episodes
-- trend: episodes.ready
-- source: operations guide
-- summary: {all_ready} episodes of {agents} agents are hot and older than {older_than_days} days, with {all_accesses} accesses
-- empty: no episode is hot and older than {older_than_days} days
-- hide: all_ready, agents, all_accesses

SELECT agent_id AS agent, count(*) AS episodes, coalesce(sum(access_count), 0)::bigint AS accesses,
       round(avg(100 * relevance_score)::numeric, 2) AS avg_relevance_percent,
       min(created_at) AS oldest,
       sum(count(*)) OVER ()::bigint AS all_ready, count(*) OVER () AS agents,
       coalesce(sum(sum(access_count)) OVER (), 0)::bigint AS all_accesses
FROM episode
WHERE storage_tier::text = 'hot' AND created_at < now() - %(older_than_days)s * interval '1 day'
GROUP BY agent_id
ORDER BY episodes DESC, agent
LIMIT %(limit)s
