-- code: SKILL-SUCCESS-RATE
-- section: Skill executions
-- guarantee: The share of executions of skills that succeeded among those that succeeded or failed; running ones are no part of it.
-- parts: skills
-- tables: skill_executions
-- value: success_percent
-- unit: %
-- worse: lower
-- warning: 90
-- critical: 50
-- trend: skills.success_percent
-- source: Atom Ops default, as SKILL-FAILED-RATIO
-- summary: {success_percent} % of {judged} executions that ended in the last {hours:g} h succeeded
-- unjudged: no execution of a skill of the last {hours:g} h has ended
-- action: see SKILL-ERRORS for the reasons, then run skill-report --set skill=NAME for one skill
-- hide: success_percent, judged

WITH statuses AS (
  SELECT status::text AS status, count(*) AS executions
  FROM skill_executions
  WHERE created_at > now() - %(hours)s * interval '1 hour'
  GROUP BY 1
), judged AS (
  SELECT sum(executions) FILTER (WHERE status IN ('success', 'completed')) AS good,
         sum(executions) FILTER (WHERE status IN ('success', 'completed', 'failed')) AS ended
  FROM statuses
)
SELECT status, executions, round(100 * executions / sum(executions) OVER (), 2) AS percent,
       round(100 * coalesce(good, 0) / ended, 2) AS success_percent, ended::bigint AS judged
FROM statuses CROSS JOIN judged
WHERE ended > 0
ORDER BY executions DESC, status
