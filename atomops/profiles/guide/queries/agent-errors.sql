-- code: AGENT-ERRORS
-- section: Agent errors
-- guarantee: What the executions of each agent failed of, alike messages counted together: numbers, ids and quoted text do not tell them apart.
-- parts: agents
-- tables: agent_execution, agent_registry
-- value: all_failures
-- unit: executions
-- trend: agents.failures
-- source: operations guide
-- summary: {all_failures} executions ended badly in the last {hours:g} h, in {kinds} ways; most often {agent}: {most_often}
-- empty: no execution of the last {hours:g} h ended badly
-- hide: all_failures, kinds, most_often

WITH failed AS (
  SELECT agent_id, coalesce(left(error_message, 1000), '(no message; ' || status::text || ')') AS message,
         count(*) AS failures, max(started_at) AS newest
  FROM agent_execution
  WHERE status::text IN ('failed', 'timeout', 'killed_sandbox') AND started_at > now() - %(hours)s * interval '1 hour'
  GROUP BY 1, 2
), alike AS (
  SELECT agent_id, left(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(message,
           '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', '<uuid>', 'gi'),
           '"[^"]*"|''[^'']*''', '<text>', 'g'),
           '\m(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{20,}', '<token>', 'g'),
           '\m0x[0-9a-f]+|\m(?=[a-f]*[0-9])[0-9a-f]{8,}\M', '<hex>', 'gi'),
           '[0-9]+', '<n>', 'g'), 300) AS error,
         sum(failures)::bigint AS failures, max(newest) AS newest
  FROM failed
  GROUP BY 1, 2
)
SELECT coalesce(name, agent_id) AS agent, failures, newest, error, agent_id AS id,
       left(error, 80) AS most_often, sum(failures) OVER ()::bigint AS all_failures, count(*) OVER () AS kinds
FROM alike LEFT JOIN agent_registry AS registry ON registry.id = agent_id
ORDER BY failures DESC, newest DESC
LIMIT %(limit)s
