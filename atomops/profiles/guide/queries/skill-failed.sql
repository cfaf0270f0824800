-- code: SKILL-FAILED-RATIO
-- section: Agent executions
-- guarantee: The share of skill executions of the last 24 hours that failed.
-- tables: skill_execution
-- value: failed_percent
-- unit: %
-- warning: 10
-- critical: 50
-- trend: skills.failed_percent
-- source: Atom Ops default
-- summary: {failed_percent} % of {total} skill executions in the last 24 hours failed
-- action: SELECT error_message, count(*) FROM skill_execution WHERE status = 'failed' GROUP BY 1 ORDER BY 2 DESC;

SELECT count(*) AS total,
       count(*) FILTER (WHERE status::text = 'failed') AS failed,
       coalesce(round(100.0 * count(*) FILTER (WHERE status::text = 'failed') / nullif(count(*), 0), 2), 0) AS failed_percent
FROM skill_execution
WHERE created_at > now() - interval '24 hours'
