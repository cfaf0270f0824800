-- In the last hour ten executions by two agents: nine of 30 s, two of them failed, and one that runs. One stuck for five
-- hours. Four skill executions, one failed.
INSERT INTO agent_registry (id, name) VALUES ('a', 'A'), ('b', 'B');
INSERT INTO agent_executions (id, agent_id, status, started_at, completed_at)
SELECT n::text, CASE WHEN n % 2 = 0 THEN 'a' ELSE 'b' END,
       CASE WHEN n <= 2 THEN 'failed' WHEN n <= 9 THEN 'completed' ELSE 'running' END,
       now() - CASE WHEN n = 11 THEN interval '5 hours' ELSE interval '10 minutes' END,
       CASE WHEN n <= 9 THEN now() - interval '10 minutes' + interval '30 seconds' END
FROM generate_series(1, 11) AS n;
INSERT INTO skill_executions (id, agent_id, skill_id, status)
SELECT n::text, 'a', 's', CASE WHEN n = 1 THEN 'failed' ELSE 'success' END FROM generate_series(1, 4) AS n;
