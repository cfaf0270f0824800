SELECT role.rolname::text AS name, role.rolcanlogin AS can_login, role.rolsuper AS is_superuser,
       array_remove(ARRAY[CASE WHEN role.rolcreaterole THEN 'CREATEROLE' END, CASE WHEN role.rolreplication THEN 'REPLICATION' END,
                          CASE WHEN role.rolbypassrls THEN 'BYPASSRLS' END], NULL) AS attributes,
       ARRAY(SELECT granted.rolname::text FROM pg_catalog.pg_roles AS granted
             WHERE granted.rolname IN ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files',
                                       'pg_read_all_data', 'pg_write_all_data')
               AND NOT role.rolsuper AND pg_catalog.pg_has_role(role.oid, granted.oid, 'member')
             ORDER BY 1) AS predefined,
       CASE WHEN isfinite(role.rolvaliduntil) THEN role.rolvaliduntil END AS valid_until
FROM pg_catalog.pg_roles AS role
WHERE role.rolname !~ '^pg_'
ORDER BY 1
