-- code: USER-SELECTED
-- section: Selected user
-- guarantee: The user that was asked for is there, and is only one.
-- parts: users
-- finds: user
-- tables: users
-- value: rows
-- unit: users
-- source: operations guide
-- summary: {name} ({id}) has the role {role}
-- hide: exact

-- An id counts before an e-mail address or a name. What is merely alike stands behind, for who mistyped.
SELECT id::text AS id, username AS name, email, role::text AS role, created_at,
       id::text = %(user)s::text OR (lower(email) = lower(%(user)s::text) OR username = %(user)s::text)
         AND NOT EXISTS (SELECT FROM users WHERE id::text = %(user)s::text) AS exact
FROM users
WHERE strpos(lower(concat_ws(E'\n', id, email, username)), lower(%(user)s::text)) > 0
ORDER BY exact DESC, length(email), id
LIMIT 20
