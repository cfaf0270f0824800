SELECT rolname::text AS role,
       CASE WHEN rolpassword IS NULL THEN 'none' WHEN rolpassword LIKE 'md5%' THEN 'md5'
            WHEN rolpassword LIKE 'SCRAM-SHA-256$%' THEN 'scram-sha-256' ELSE 'other' END AS method
FROM pg_catalog.pg_authid
WHERE rolcanlogin
ORDER BY 1
