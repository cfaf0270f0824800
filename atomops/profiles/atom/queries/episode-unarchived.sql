-- code: EPISODE-UNARCHIVED
-- section: Episodes
-- guarantee: Episodes older than 180 days have been archived.
-- parts: episodes
-- tables: agent_episodes
-- value: all_old
-- unit: episodes
-- warning: 1
-- trend: episodes.unarchived
-- source: operators of Atom
-- summary: {all_old} episodes of {agents} agents are older than 180 days and not archived
-- empty: every episode older than 180 days is archived
-- action: run the archiving job of the application, and look why it did not
-- hide: all_old, agents

SELECT agent_id AS agent, count(*) AS episodes, min(started_at) AS oldest, coalesce(sum(access_count), 0)::bigint AS accesses,
       sum(count(*)) OVER ()::bigint AS all_old, count(*) OVER () AS agents
FROM agent_episodes
WHERE archived_at IS NULL AND coalesce(status::text, '') <> 'archived' AND started_at < now() - interval '180 days'
GROUP BY agent_id
ORDER BY episodes DESC, agent
LIMIT %(limit)s
