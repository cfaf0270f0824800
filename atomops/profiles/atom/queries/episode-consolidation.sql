-- code: EPISODE-CONSOLIDATION
-- section: Episodes
-- guarantee: Episodes that are ready for consolidation, by agent, with how often they were used and what they are worth.
-- parts: episodes
-- tables: agent_episodes
-- value: all_ready
-- unit: episodes
-- trend: episodes.ready
-- source: operations guide
-- summary: {all_ready} episodes of {agents} agents are ended, not archived and older than {older_than_days} days, with {all_accesses} accesses
-- empty: no episode is ended, not archived and older than {older_than_days} days
-- hide: all_ready, agents, all_accesses

SELECT agent_id AS agent, count(*) AS episodes, coalesce(sum(access_count), 0)::bigint AS accesses,
       round(avg(importance_score)::numeric, 2) AS avg_importance, round(avg(decay_score)::numeric, 2) AS avg_decay,
       min(started_at) AS oldest,
       sum(count(*)) OVER ()::bigint AS all_ready, count(*) OVER () AS agents,
       coalesce(sum(sum(access_count)) OVER (), 0)::bigint AS all_accesses
FROM agent_episodes
WHERE archived_at IS NULL AND coalesce(status::text, '') NOT IN ('archived', 'active') AND started_at < now() - %(older_than_days)s * interval '1 day'
GROUP BY agent_id
ORDER BY episodes DESC, agent
LIMIT %(limit)s
