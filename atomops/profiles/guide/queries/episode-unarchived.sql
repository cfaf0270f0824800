-- code: EPISODE-UNARCHIVED
-- section: Episodes
-- guarantee: Episodes older than 180 days have been archived.
-- parts: episodes
-- tables: episode
-- value: all_old
-- unit: episodes
-- warning: 1
-- trend: episodes.unarchived
-- source: operators of Atom
-- summary: {all_old} episodes of {agents} agents are older than 180 days and not archived
-- empty: every episode older than 180 days is archived
-- action: run the archiving job of the application, and look why it did not
-- hide: all_old, agents

SELECT agent_id AS agent, count(*) AS episodes, min(created_at) AS oldest, coalesce(sum(access_count), 0)::bigint AS accesses,
       sum(count(*)) OVER ()::bigint AS all_old, count(*) OVER () AS agents
FROM episode
WHERE storage_tier::text NOT IN ('archive', 'archived') AND created_at < now() - interval '180 days'
GROUP BY agent_id
ORDER BY episodes DESC, agent
LIMIT %(limit)s
