-- code: SKILL-RECENT
-- section: Skill executions
-- guarantee: The newest executions of skills, or of the one that was asked for, whenever they were.
-- parts: skills
-- tables: skill_execution
-- value: rows
-- unit: executions
-- source: operations guide
-- summary: the newest {rows} executions, {bad} of them failed
-- empty: no skill has ever been executed
-- hide: bad

SELECT skill_name AS skill, skill_source AS source, status::text AS status, created_at,
       round((extract(epoch FROM ended_at - created_at))::numeric, 2) AS seconds, left(error_message, 1000) AS error,
       count(*) FILTER (WHERE status::text = 'failed') OVER () AS bad
FROM (
  SELECT * FROM skill_execution
  WHERE %(skill)s::text = '' OR skill_name = %(skill)s::text
  ORDER BY created_at DESC NULLS LAST LIMIT %(limit)s
) AS newest
ORDER BY created_at DESC NULLS LAST
