-- code: AGENT-LIST
-- section: Agents
-- guarantee: Every agent with its status, the newest first.
-- parts: agents
-- tables: agent_registry
-- value: agents
-- unit: agents
-- source: operations guide
-- summary: {agents} agents are registered
-- empty: no agent is registered
-- hide: agents

SELECT id, name, status::text AS maturity, created_at, count(*) OVER () AS agents
FROM agent_registry
ORDER BY created_at DESC NULLS LAST, id
LIMIT %(limit)s
