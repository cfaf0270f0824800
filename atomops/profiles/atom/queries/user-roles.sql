-- code: USER-ROLES
-- section: Users
-- guarantee: How many users have each role.
-- parts: users
-- tables: users
-- value: all_users
-- unit: users
-- trend: users.count
-- source: operations guide
-- summary: {all_users} users; {most_of} of them have the role {role}
-- empty: there is no user
-- series: role users
-- hide: all_users, most_of

SELECT coalesce(role::text, '(none)') AS role, count(*) AS users, count(*) AS most_of, sum(count(*)) OVER ()::bigint AS all_users
FROM users
GROUP BY 1
ORDER BY users DESC, 1
LIMIT %(limit)s
