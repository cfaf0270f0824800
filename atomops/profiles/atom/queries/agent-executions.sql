-- code: AGENT-EXECUTIONS
-- section: Agent executions
-- guarantee: Agents are at work: executions that began in the last hour, by how many agents, and how long the finished ones took.
-- tables: agent_executions
-- value: total
-- unit: executions
-- trend: agents.executions
-- source: operations guide
-- summary: {total} executions by {agents} agents in the last hour; {finished} finished in {average_seconds} s on average, {unfinished} not yet

-- completed_at is often NULL in finished rows, and duration_seconds 0 in running ones: the status tells.
SELECT count(*) AS total,
       count(DISTINCT agent_id) AS agents,
       count(*) FILTER (WHERE status::text NOT IN ('running', 'pending', 'paused')) AS finished,
       count(*) FILTER (WHERE status::text IN ('running', 'pending', 'paused')) AS unfinished,
       coalesce(round(avg(coalesce(nullif(duration_seconds, 0), extract(epoch FROM completed_at - started_at)))::numeric, 2), 0)
         AS average_seconds
FROM agent_executions
WHERE started_at > now() - interval '1 hour'
