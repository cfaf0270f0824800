-- code: AGENT-SELECTED
-- section: Selected agent
-- guarantee: The agent that was asked for is there, and is only one.
-- parts: agents
-- finds: agent
-- tables: agent_registry
-- value: rows
-- unit: agents
-- source: operations guide
-- summary: {name} ({id}) is {maturity}
-- hide: exact

-- An id counts before a name. What is merely alike stands behind, for who mistyped.
SELECT id::text AS id, name, status::text AS maturity, created_at,
       id::text = %(agent)s::text OR name = %(agent)s::text
         AND NOT EXISTS (SELECT FROM agent_registry WHERE id::text = %(agent)s::text) AS exact
FROM agent_registry
WHERE strpos(lower(id::text), lower(%(agent)s::text)) > 0 OR strpos(lower(name), lower(%(agent)s::text)) > 0
ORDER BY exact DESC, length(name), id
LIMIT 20
