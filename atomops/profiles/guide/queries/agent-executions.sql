-- code: AGENT-EXECUTIONS
-- section: Agent executions
-- guarantee: Agents are at work: executions that began in the last hour, by how many agents, and how long the finished ones took.
-- tables: agent_execution
-- value: total
-- unit: executions
-- trend: agents.executions
-- source: operations guide
-- summary: {total} executions by {agents} agents in the last hour; {finished} finished in {average_seconds} s on average, {unfinished} not yet

SELECT count(*) AS total,
       count(DISTINCT agent_id) AS agents,
       count(ended_at) AS finished,
       count(*) - count(ended_at) AS unfinished,
       coalesce(round(avg(extract(epoch FROM ended_at - started_at))::numeric, 2), 0) AS average_seconds
FROM agent_execution
WHERE started_at > now() - interval '1 hour'
