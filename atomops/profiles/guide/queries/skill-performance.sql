-- code: SKILL-PERFORMANCE
-- section: Skill executions
-- guarantee: How often each skill runs, how long it takes and how often it succeeds; what has not ended is no failure, and is counted apart.
-- parts: skills
-- tables: skill_execution
-- value: per_day
-- unit: executions/day
-- trend: skills.executions_per_day
-- source: operations guide
-- summary: {all_executions} executions of {all_skills} skills in the last {hours:g} h; {all_unfinished} have not ended, {all_untimed} ended without a duration
-- empty: no skill was executed in the last {hours:g} h
-- hide: per_day, all_executions, all_skills, all_unfinished, all_untimed

WITH ran AS (
  SELECT skill_name AS skill_key, status::text IN ('running', 'pending') AS unfinished, status::text IN ('success', 'completed') AS good,
         status::text = 'failed' AS bad, (extract(epoch FROM ended_at - created_at))::float8 AS seconds
  FROM skill_execution
  WHERE created_at > now() - %(hours)s * interval '1 hour'
), by_skill AS (
  SELECT skill_key, count(*) AS executions, count(*) FILTER (WHERE good) AS good, count(*) FILTER (WHERE bad) AS failed,
         count(*) FILTER (WHERE unfinished) AS unfinished,
         count(*) FILTER (WHERE NOT unfinished AND seconds IS NULL) AS untimed,
         avg(seconds) FILTER (WHERE NOT unfinished) AS average,
         percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE NOT unfinished) AS p95
  FROM ran
  GROUP BY skill_key
)
SELECT skill_key AS skill, executions, failed, unfinished, untimed,
       round(100.0 * good / nullif(good + failed, 0), 2) AS success_percent,
       round(average::numeric, 2) AS avg_s, round(p95::numeric, 2) AS p95_s,
       round(sum(executions) OVER () * 24 / %(hours)s::numeric, 1) AS per_day,
       sum(executions) OVER ()::bigint AS all_executions, count(*) OVER () AS all_skills,
       sum(unfinished) OVER ()::bigint AS all_unfinished, sum(untimed) OVER ()::bigint AS all_untimed
FROM by_skill
ORDER BY executions DESC, skill
LIMIT %(limit)s
