-- code: SKILL-STUCK
-- section: Skill executions
-- guarantee: An execution of a skill that has been "running" for over an hour has most likely lost its worker.
-- parts: skills
-- tables: skill_executions, skills
-- value: stuck
-- unit: executions
-- warning: 1
-- critical: 50
-- trend: skills.stuck
-- source: Atom Ops default, as AGENT-STUCK
-- summary: {stuck} running for over an hour; the oldest for {running_hours} hours
-- empty: no execution of a skill has been running for over an hour
-- action: see whether its worker lives; if not: UPDATE skill_executions SET status = 'failed' WHERE id = {literal};
-- hide: stuck, literal

SELECT skill_executions.id, coalesce(skills.name, skill_id) AS skill, created_at,
       round((extract(epoch FROM now() - created_at) / 3600)::numeric, 1) AS running_hours,
       count(*) OVER () AS stuck, quote_literal(skill_executions.id) AS literal
FROM skill_executions LEFT JOIN skills ON skills.id = skill_id
WHERE status::text = 'running' AND completed_at IS NULL AND created_at < now() - interval '1 hour'
ORDER BY created_at
LIMIT %(limit)s
