-- code: AGENT-SUCCESS-RATE
-- section: Agent executions
-- guarantee: The share of executions that ended well among those that ended well or badly; running and cancelled ones are no part of it.
-- parts: agents
-- tables: agent_executions
-- value: success_percent
-- unit: %
-- worse: lower
-- warning: 90
-- critical: 50
-- trend: agents.success_percent
-- source: Atom Ops default, as AGENT-FAILED-RATIO
-- summary: {success_percent} % of {judged} executions that ended in the last {hours:g} h ended well
-- unjudged: no execution of the last {hours:g} h has ended
-- action: see AGENT-ERRORS above or below for the reasons, then run agent-report --set agent=ID for one agent
-- hide: success_percent, judged

WITH statuses AS (
  SELECT status::text AS status, count(*) AS executions
  FROM agent_executions
  WHERE started_at > now() - %(hours)s * interval '1 hour'
  GROUP BY 1
), judged AS (
  SELECT sum(executions) FILTER (WHERE status IN ('completed', 'success')) AS good,
         sum(executions) FILTER (WHERE status IN ('completed', 'success', 'failed', 'timeout', 'killed_sandbox')) AS ended
  FROM statuses
)
SELECT status, executions, round(100 * executions / sum(executions) OVER (), 2) AS percent,
       round(100 * coalesce(good, 0) / ended, 2) AS success_percent, ended::bigint AS judged
FROM statuses CROSS JOIN judged
WHERE ended > 0
ORDER BY executions DESC, status
