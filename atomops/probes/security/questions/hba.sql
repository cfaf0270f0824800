SELECT line_number AS line, type AS kind, array_to_string(database, ',') AS databases, array_to_string(user_name, ',') AS users,
       address || coalesce(' ' || netmask, '') AS address, auth_method AS method
FROM pg_catalog.pg_hba_file_rules
WHERE error IS NULL
ORDER BY 1
LIMIT 1000
