-- code: USER-SUSPENDED-PRIVILEGED
-- section: Users
-- guarantee: Nobody who is suspended or inactive still has a privileged role.
-- parts: users
-- tables: users
-- value: suspended
-- unit: users
-- warning: 1
-- trend: users.suspended_privileged
-- source: operators of Atom
-- summary: suspended or inactive users with a privileged role: {suspended}
-- empty: no suspended or inactive user has a privileged role
-- action: see what it would be to take the role: atomops run set-user-role --set user=id:{id} --set role=ROLE
-- hide: suspended

SELECT id, concat_ws(' ', first_name, last_name) AS name, email, role::text AS role, status::text AS status, last_login, count(*) OVER () AS suspended
FROM users
WHERE role::text = ANY (%(admin_roles)s) AND NOT (coalesce(status::text, 'active') = 'active' AND coalesce(to_jsonb(users) ->> 'is_active', 'true') = 'true')
ORDER BY role, id
LIMIT %(limit)s
