-- code: AGENT-FAILED-RATIO
-- section: Agent executions
-- guarantee: The guide's status distribution of the last hour, judged by the share that ended badly.
-- parts: postgres, agents
-- tables: agent_executions
-- value: bad_percent
-- unit: %
-- warning: 10
-- critical: 50
-- trend: agents.failed_percent
-- source: Atom Ops default
-- summary: {bad_percent} % of {all_statuses} executions in the last hour ended badly
-- hide: bad_percent, all_statuses
-- empty: no executions in the last hour
-- action: look at the evidence, then: SELECT error_message, count(*) FROM agent_executions WHERE status = 'failed' GROUP BY 1 ORDER BY 2 DESC;

SELECT status, count(*) AS count,
       round(100.0 * count(*) / sum(count(*)) OVER (), 2) AS percentage,
       round(100.0 * sum(count(*) FILTER (WHERE status::text IN ('failed', 'timeout', 'killed_sandbox'))) OVER () / sum(count(*)) OVER (), 2)
         AS bad_percent,
       sum(count(*)) OVER ()::bigint AS all_statuses
FROM agent_executions
WHERE started_at > now() - interval '1 hour'
GROUP BY status
ORDER BY count DESC
