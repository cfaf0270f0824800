SELECT lanname::text AS name, format('DROP LANGUAGE %I;', lanname) AS statement
FROM pg_catalog.pg_language
WHERE NOT lanpltrusted AND lanispl
ORDER BY 1
