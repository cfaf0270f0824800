-- code: AGENT-RECENT
-- section: Selected agent
-- guarantee: The newest executions of the agent that was asked for, whenever they were.
-- parts: agents
-- needs: agent
-- tables: agent_execution
-- value: rows
-- unit: executions
-- source: operations guide
-- summary: the newest {rows} executions of {agent}, {bad} of them ended badly
-- empty: {agent} has never been executed
-- hide: bad

SELECT id, status::text AS status, started_at, ended_at AS ended_at,
       round((extract(epoch FROM ended_at - started_at))::numeric, 2) AS seconds, left(error_message, 1000) AS error,
       count(*) FILTER (WHERE status::text IN ('failed', 'timeout', 'killed_sandbox')) OVER () AS bad
FROM (SELECT * FROM agent_execution WHERE agent_id = %(agent)s ORDER BY started_at DESC NULLS LAST LIMIT %(limit)s) AS newest
ORDER BY started_at DESC NULLS LAST
