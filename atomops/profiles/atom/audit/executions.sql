-- tables: agent_executions, agent_registry

SELECT agent.user_id::text AS user, run.agent_id::text AS agent, count(*) AS executions, max(run.started_at) AS last,
       sum(count(*)) OVER ()::bigint AS total, count(*) OVER () AS pairs
FROM agent_executions AS run LEFT JOIN agent_registry AS agent ON agent.id = run.agent_id
WHERE run.started_at > now() - make_interval(days => %(days)s)
GROUP BY 1, 2
ORDER BY executions DESC, last DESC
LIMIT %(most)s
