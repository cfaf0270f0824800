-- code: AGENT-DAILY
-- section: Agent executions
-- guarantee: Executions of each of the last 14 days, each of 24 hours that end when this is looked at.
-- parts: agents
-- tables: agent_executions
-- value: executions
-- unit: executions
-- trend: agents.executions_daily
-- source: operations guide
-- summary: {executions} executions in the last 24 h, {average} a day on average over 14 days
-- points: moment executions
-- hide: moment, average

WITH days AS (
  SELECT floor(extract(epoch FROM now() - started_at) / 86400)::int AS ago, count(*) AS executions,
         count(*) FILTER (WHERE status::text IN ('failed', 'timeout', 'killed_sandbox')) AS failed
  FROM agent_executions
  WHERE started_at > now() - interval '14 days' AND started_at <= now()
  GROUP BY 1
)
SELECT now() - ago * interval '24 hours' AS until, coalesce(executions, 0) AS executions, coalesce(failed, 0) AS failed,
       round(100.0 * failed / executions, 2) AS failed_percent,
       to_char((now() - ago * interval '24 hours') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS moment,
       round(avg(coalesce(executions, 0)) OVER (), 1) AS average
FROM generate_series(0, 13) AS ago LEFT JOIN days USING (ago)
ORDER BY ago
