-- tables: agent_executions, agent_registry

WITH hourly AS (
    SELECT agent.user_id::text AS user, run.agent_id::text AS agent, count(*) AS executions,
           floor(extract(epoch FROM now() - run.started_at) / 3600)::int AS hours_ago
    FROM agent_executions AS run LEFT JOIN agent_registry AS agent ON agent.id = run.agent_id
    WHERE run.started_at > now() - make_interval(days => %(days)s) AND run.started_at <= now()
    GROUP BY 1, 2, 4
)
SELECT hourly.user, agent, max(executions) FILTER (WHERE hours_ago = 0) AS executions,
       coalesce(array_agg(executions) FILTER (WHERE hours_ago > 0), '{}') AS before, max(hours_ago) AS oldest
FROM hourly
GROUP BY 1, 2
HAVING max(executions) FILTER (WHERE hours_ago = 0) >= %(at_least)s
ORDER BY executions DESC
LIMIT %(most)s
