"""What the security audit looks at: certificates, access to PostgreSQL and Redis, executions, failed logins."""
