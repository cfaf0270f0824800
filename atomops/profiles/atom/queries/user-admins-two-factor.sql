-- code: USER-ADMINS-ONE-FACTOR
-- section: Users
-- guarantee: Nobody with a privileged role signs in without a second factor.
-- parts: users
-- tables: users
-- value: admins
-- unit: users
-- warning: 1
-- trend: users.privileged_one_factor
-- source: operators of Atom
-- summary: users with a privileged role and no second factor: {admins}
-- empty: every user with a privileged role has a second factor
-- action: have them set one up, or see what it would be to take the role: atomops run set-user-role --set user=id:{id} --set role=ROLE
-- hide: admins

SELECT id, concat_ws(' ', first_name, last_name) AS name, email, role::text AS role, last_login, count(*) OVER () AS admins
FROM users
WHERE role::text = ANY (%(admin_roles)s) AND two_factor_enabled IS NOT true
ORDER BY role, id
LIMIT %(limit)s
