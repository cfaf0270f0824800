-- code: AGENT-PERFORMANCE
-- section: Agent executions
-- guarantee: How long the executions of each agent take, the slowest first; what has not ended, or has no end on record, is counted apart.
-- parts: agents
-- tables: agent_execution, agent_registry
-- value: per_day
-- unit: executions/day
-- trend: agents.executions_per_day
-- source: operations guide
-- summary: {all_executions} executions by {all_agents} agents in the last {hours:g} h; {all_unfinished} have not ended, {all_untimed} ended without a duration
-- empty: no executions in the last {hours:g} h
-- hide: per_day, all_executions, all_agents, all_unfinished, all_untimed

WITH ran AS (
  SELECT agent_id, status::text IN ('running', 'pending', 'paused') AS unfinished,
         status::text IN ('failed', 'timeout', 'killed_sandbox') AS bad,
         (extract(epoch FROM ended_at - started_at))::float8 AS seconds
  FROM agent_execution
  WHERE started_at > now() - %(hours)s * interval '1 hour'
), agents AS (
  SELECT agent_id, count(*) AS executions, count(*) FILTER (WHERE bad) AS failed,
         count(*) FILTER (WHERE unfinished) AS unfinished,
         count(*) FILTER (WHERE NOT unfinished AND seconds IS NULL) AS untimed,
         avg(seconds) FILTER (WHERE NOT unfinished) AS average,
         min(seconds) FILTER (WHERE NOT unfinished) AS least,
         max(seconds) FILTER (WHERE NOT unfinished) AS most,
         percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE NOT unfinished) AS p95
  FROM ran
  GROUP BY agent_id
)
SELECT coalesce(registry.name, agents.agent_id) AS agent, executions, failed, unfinished, untimed,
       round(average::numeric, 2) AS avg_s, round(p95::numeric, 2) AS p95_s, round(least::numeric, 2) AS min_s,
       round(most::numeric, 2) AS max_s, agents.agent_id AS id,
       round(sum(executions) OVER () * 24 / %(hours)s::numeric, 1) AS per_day,
       sum(executions) OVER ()::bigint AS all_executions, count(*) OVER () AS all_agents,
       sum(unfinished) OVER ()::bigint AS all_unfinished, sum(untimed) OVER ()::bigint AS all_untimed
FROM agents LEFT JOIN agent_registry AS registry ON registry.id = agents.agent_id
ORDER BY average DESC NULLS LAST, executions DESC, agent
LIMIT %(limit)s
