-- code: SKILL-SELECTED
-- section: Selected skill
-- guarantee: The skill that was asked for is there, and is only one.
-- parts: skills
-- finds: skill
-- tables: skill_execution
-- value: rows
-- unit: skills
-- source: operations guide
-- summary: {name} was executed {executions} times within 31 days
-- hide: exact

-- Skills are known by their executions alone; 31 days of them, since nothing indexes their names.
SELECT skill_name AS id, skill_name AS name, count(*) AS executions, max(created_at) AS newest,
       skill_name = %(skill)s::text AS exact
FROM skill_execution
WHERE created_at > now() - interval '31 days' AND strpos(lower(skill_name), lower(%(skill)s::text)) > 0
GROUP BY skill_name
ORDER BY exact DESC, length(skill_name), skill_name
LIMIT 20
