-- code: USER-LIST
-- section: Users
-- guarantee: Every user with the role, the newest first.
-- parts: users
-- tables: users
-- value: users
-- unit: users
-- source: operations guide
-- summary: there are {users} users
-- empty: there is no user
-- hide: users

SELECT id, concat_ws(' ', first_name, last_name) AS name, email, role::text AS role, status::text AS status, last_login, created_at, count(*) OVER () AS users
FROM users
ORDER BY created_at DESC NULLS LAST, id
LIMIT %(limit)s
