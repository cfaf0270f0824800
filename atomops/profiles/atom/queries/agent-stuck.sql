-- code: AGENT-STUCK
-- section: Agent executions
-- guarantee: An execution that has been "running" for over an hour has most likely lost its worker.
-- parts: postgres, agents
-- tables: agent_executions
-- value: stuck
-- unit: executions
-- warning: 1
-- critical: 50
-- trend: agents.stuck
-- source: Atom Ops default
-- summary: {stuck} running for over an hour; the oldest for {oldest_hours} hours
-- empty: no execution has been running for over an hour
-- action: see whether its worker lives; if not: UPDATE agent_executions SET status = 'failed' WHERE id = {literal};
-- hide: stuck, literal

SELECT id, agent_id, started_at,
       round((extract(epoch FROM now() - started_at) / 3600)::numeric, 1) AS oldest_hours,
       count(*) OVER () AS stuck, quote_literal(id) AS literal
FROM agent_executions
WHERE status::text = 'running' AND completed_at IS NULL AND started_at < now() - interval '1 hour'
ORDER BY started_at
LIMIT 20
