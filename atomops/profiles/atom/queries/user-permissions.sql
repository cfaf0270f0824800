-- code: USER-PERMISSIONS
-- section: Selected user
-- guarantee: What the custom role of the user that was asked for permits; what built-in roles permit is in the application's code, and in no table.
-- parts: users
-- needs: user
-- tables: users, custom_roles, role_permissions, permissions
-- value: permissions
-- unit: permissions
-- source: operations guide
-- summary: {user} has {permissions} permissions by the role {role}
-- empty: {user} has no custom role with permissions: what a built-in role permits is in the application's code, and in no table
-- hide: permissions

-- Not every version of the application has users.custom_role_id.
SELECT custom_roles.name AS role, permissions.name AS permission, count(*) OVER () AS permissions
FROM users
JOIN custom_roles ON custom_roles.id::text = to_jsonb(users) ->> 'custom_role_id' OR custom_roles.name = users.role::text
JOIN role_permissions ON role_permissions.role_id = custom_roles.id
JOIN permissions ON permissions.id = role_permissions.permission_id
WHERE users.id = %(user)s
ORDER BY role, permission
LIMIT %(limit)s
