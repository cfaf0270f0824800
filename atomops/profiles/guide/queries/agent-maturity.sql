-- code: AGENT-MATURITY
-- section: Agents
-- guarantee: How many agents there are of each maturity.
-- parts: agents
-- tables: agent_registry
-- value: all_agents
-- unit: agents
-- trend: agents.registered
-- source: operations guide
-- summary: {most_of} of {all_agents} agents are {maturity}
-- empty: no agent is registered
-- series: maturity agents
-- hide: all_agents, most_of

SELECT coalesce(maturity_level::text, '(none)') AS maturity, count(*) AS agents,
       count(*) AS most_of, sum(count(*)) OVER ()::bigint AS all_agents
FROM agent_registry
GROUP BY 1
ORDER BY agents DESC, maturity
LIMIT %(limit)s
