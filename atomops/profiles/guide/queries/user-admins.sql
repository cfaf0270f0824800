-- code: USER-ADMINS
-- section: Users
-- guarantee: Somebody has a privileged role, and it is known who.
-- parts: users
-- tables: users
-- value: admins
-- unit: users
-- worse: lower
-- warning: 1
-- trend: users.privileged
-- source: Atom Ops default
-- summary: users with a privileged role: {admins}
-- empty: nobody has a privileged role: no user can be managed
-- action: atomops run set-user-role --set user=USER --set role=ROLE
-- hide: admins

SELECT id, username AS name, email, role::text AS role, created_at, count(*) OVER () AS admins
FROM users
WHERE role::text = ANY (%(admin_roles)s)
ORDER BY role, created_at, id
LIMIT %(limit)s
