-- code: SKILL-SELECTED
-- section: Selected skill
-- guarantee: The skill that was asked for is there, and is only one.
-- parts: skills
-- finds: skill
-- tables: skills
-- value: rows
-- unit: skills
-- source: operations guide
-- summary: {name} ({id})
-- hide: exact

-- An id counts before a name. What is merely alike stands behind, for who mistyped.
SELECT id::text AS id, name,
       id::text = %(skill)s::text OR name = %(skill)s::text
         AND NOT EXISTS (SELECT FROM skills WHERE id::text = %(skill)s::text) AS exact
FROM skills
WHERE strpos(lower(id::text), lower(%(skill)s::text)) > 0 OR strpos(lower(name), lower(%(skill)s::text)) > 0
ORDER BY exact DESC, length(name), id
LIMIT 20
