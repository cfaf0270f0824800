SELECT role::text, method::text FROM atomops_password_methods ORDER BY 1
