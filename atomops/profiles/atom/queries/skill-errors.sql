-- code: SKILL-ERRORS
-- section: Skill errors
-- guarantee: What executions of each skill failed of, alike messages counted together: numbers, ids and quoted text do not tell them apart.
-- parts: skills
-- tables: skill_executions, skills
-- value: all_failures
-- unit: executions
-- trend: skills.failures
-- source: operations guide
-- summary: {all_failures} executions failed in the last {hours:g} h, in {kinds} ways; most often {skill}: {most_often}
-- empty: no execution of a skill failed in the last {hours:g} h
-- hide: all_failures, kinds, most_often

WITH failed AS (
  SELECT skill_id AS skill_key, coalesce(left(error_message, 1000), '(no message)') AS message,
         count(*) AS failures, max(created_at) AS newest
  FROM skill_executions
  WHERE status::text = 'failed' AND created_at > now() - %(hours)s * interval '1 hour'
  GROUP BY 1, 2
), alike AS (
  SELECT skill_key, left(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(message,
           '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', '<uuid>', 'gi'),
           '"[^"]*"|''[^'']*''', '<text>', 'g'),
           '\m(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{20,}', '<token>', 'g'),
           '\m0x[0-9a-f]+|\m(?=[a-f]*[0-9])[0-9a-f]{8,}\M', '<hex>', 'gi'),
           '[0-9]+', '<n>', 'g'), 300) AS error,
         sum(failures)::bigint AS failures, max(newest) AS newest
  FROM failed
  GROUP BY 1, 2
)
SELECT coalesce(skills.name, skill_key) AS skill, failures, newest, error,
       left(error, 80) AS most_often, sum(failures) OVER ()::bigint AS all_failures, count(*) OVER () AS kinds
FROM alike LEFT JOIN skills ON skills.id = skill_key
ORDER BY failures DESC, newest DESC
LIMIT %(limit)s
