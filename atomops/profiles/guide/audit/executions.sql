-- tables: agent_execution

SELECT run.user_id::text AS user, run.agent_id::text AS agent, count(*) AS executions, max(run.started_at) AS last,
       sum(count(*)) OVER ()::bigint AS total, count(*) OVER () AS pairs
FROM agent_execution AS run
WHERE run.started_at > now() - make_interval(days => %(days)s)
GROUP BY 1, 2
ORDER BY executions DESC, last DESC
LIMIT %(most)s
