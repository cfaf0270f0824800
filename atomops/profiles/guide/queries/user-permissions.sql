-- code: USER-PERMISSIONS
-- section: Selected user
-- guarantee: What the user that was asked for may do with which agent, the newest permission first.
-- parts: users
-- needs: user
-- tables: agent_permissions, agent_registry
-- value: permissions
-- unit: permissions
-- source: operations guide
-- summary: {user} has {permissions} permissions
-- empty: {user} has no permission for any agent
-- hide: permissions

SELECT agent_id AS agent, name, permission_level AS permission, granted_at, count(*) OVER () AS permissions
FROM agent_permissions LEFT JOIN agent_registry ON agent_registry.id = agent_id
WHERE user_id = %(user)s
ORDER BY granted_at DESC, agent
LIMIT %(limit)s
