-- A week of the application's life, and the faults that a report should find: an execution that never ended, a
-- duplicate index, a foreign key without an index, a table whose dead rows nobody removes, old episodes that nobody has
-- archived, an admin without a second factor and one who is suspended.
INSERT INTO users (id, email, first_name, last_name, role, status, is_active, last_login, hashed_password, two_factor_enabled)
SELECT 'user-' || n, 'user' || n || '@example.com', 'First' || n, 'Last' || n,
       CASE WHEN n <= 3 THEN 'admin' WHEN n % 9 = 0 THEN 'auditor' WHEN n % 7 = 0 THEN 'team_lead' ELSE 'member' END,
       CASE WHEN n = 3 THEN 'suspended' ELSE 'active' END, n <> 3, now() - n * interval '5 hours', '$2b$12$' || md5(n::text), n <> 2
FROM generate_series(1, 40) AS n;

INSERT INTO permissions (id, name)
SELECT 'permission-' || n, name
FROM unnest(ARRAY['agent:view', 'agent:run', 'agent:manage', 'workflow:view', 'user:view', 'audit:read']) WITH ORDINALITY AS named (name, n);
INSERT INTO custom_roles (id, name) VALUES ('role-1', 'auditor');
INSERT INTO role_permissions (role_id, permission_id)
SELECT 'role-1', id FROM permissions WHERE name LIKE '%:view' OR name = 'audit:read';

INSERT INTO agent_registry (id, name, category, status, user_id, confidence_score)
SELECT 'agent-' || n, (ARRAY['Inbox', 'Calendar', 'Finance', 'Research', 'Support', 'Sales'])[1 + n % 6] || ' agent ' || n,
       'Operations', (ARRAY['student', 'intern', 'supervised', 'autonomous', 'autonomous', 'paused'])[1 + n % 6],
       'user-' || n, 0.5 + n * 0.03
FROM generate_series(1, 12) AS n;

INSERT INTO skills (id, name)
SELECT 'skill-' || n, name
FROM unnest(ARRAY['send_email', 'read_calendar', 'search_web', 'update_crm', 'summarise', 'create_invoice'])
     WITH ORDINALITY AS named (name, n);

-- Seven days, newest first, denser towards now.
INSERT INTO agent_executions (id, agent_id, status, started_at, completed_at, duration_seconds, triggered_by, error_message)
SELECT 'execution-' || n, 'agent-' || 1 + n % 12,
       CASE WHEN n % 25 = 0 THEN 'failed' WHEN n % 211 = 0 THEN 'killed_sandbox' ELSE 'completed' END,
       begun, CASE WHEN n % 3 > 0 THEN begun + interval '20 seconds' END, 5 + n % 40, 'schedule',
       CASE WHEN n % 25 = 0 THEN 'LLM_TIMEOUT: model timed out' END
FROM (SELECT n, now() - (n / 2500.0) ^ 2 * interval '7 days' - interval '2 minutes' AS begun
      FROM generate_series(1, 2500) AS n) AS history;

INSERT INTO agent_executions (id, agent_id, status, started_at, triggered_by)
VALUES ('execution-stuck', 'agent-4', 'running', now() - interval '3 hours', 'schedule');

INSERT INTO skill_executions (id, agent_id, skill_id, status, execution_seconds, skill_source, error_message, created_at, completed_at)
SELECT 'skill-execution-' || n, 'agent-' || 1 + n % 12, 'skill-' || 1 + n % 6,
       CASE WHEN n % 18 = 0 THEN 'failed' ELSE 'success' END, 0.2 + n % 9, 'cloud',
       CASE WHEN n % 18 = 0 THEN 'HTTP_502: upstream' END, begun, begun + interval '4 seconds'
FROM (SELECT n, now() - (n / 3000.0) ^ 2 * interval '7 days' - interval '2 minutes' AS begun
      FROM generate_series(1, 3000) AS n) AS history;

INSERT INTO agent_episodes (id, agent_id, execution_id, status, started_at, importance_score, decay_score)
SELECT 'episode-' || n, 'agent-' || 1 + n % 12, 'execution-' || n, 'completed', now() - n * interval '10 minutes',
       (n % 10) / 10.0, 1 - n / 1000.0
FROM generate_series(1, 900) AS n;

INSERT INTO agent_episodes (id, agent_id, status, started_at, importance_score, decay_score)
SELECT 'old-episode-' || n, 'agent-' || 1 + n % 12, 'completed', now() - interval '200 days', 0.1, 0.1
FROM generate_series(1, 30) AS n;

INSERT INTO episode_segments (id, episode_id, sequence_order, segment_type, content, created_at)
SELECT 'segment-' || n, 'episode-' || 1 + n % 900, n % 3, 'action', 'step ' || n % 3, now() - n * interval '3 minutes'
FROM generate_series(1, 3000) AS n;

INSERT INTO saas_audit_logs (id, action, user_email, ip_address, "timestamp")
SELECT 'audit-' || n, CASE WHEN n % 6 = 0 THEN 'login_failed' ELSE 'login' END, 'user' || 1 + n % 40 || '@example.com',
       '203.0.113.' || n % 50, now() - n * interval '20 minutes'
FROM generate_series(1, 400) AS n;

-- Somebody guesses the password of an administrator.
INSERT INTO saas_audit_logs (id, action, user_email, ip_address, "timestamp")
SELECT 'guess-' || n, 'login_failed', CASE WHEN n % 10 = 0 THEN 'user' || n / 10 || '@example.com' ELSE 'user1@example.com' END,
       '198.51.100.23', now() - interval '3 hours' - n * interval '20 seconds'
FROM generate_series(1, 40) AS n;

-- The faults of the schema and of its care.
CREATE INDEX agent_executions_started_at_copy ON agent_executions (started_at);
CREATE INDEX agent_executions_started_at_again ON agent_executions (started_at);
CREATE TABLE report_exports (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    execution_id varchar REFERENCES agent_executions (id),
    status text NOT NULL
);
ALTER TABLE report_exports SET (autovacuum_enabled = off);
INSERT INTO report_exports (execution_id, status) SELECT 'execution-' || 1 + n % 2500, 'queued' FROM generate_series(1, 12000) AS n;
UPDATE report_exports SET status = 'done';
ANALYZE;
