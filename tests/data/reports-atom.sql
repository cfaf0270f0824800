-- What a report must not be misled by: names that need quoting, ends that are missing, messages that differ in numbers
-- or hold a password, and a message of 10 kB.
INSERT INTO agent_registry (id, name, status) VALUES
  ('a', 'Inbox', 'autonomous'), ('b', 'Twin', 'student'), ('c', 'Twin', 'student'),
  ('o''dd"|; --', E'pipe | quote '' " line\nbreak `code` {brace} 100 %', 'intern');
INSERT INTO agent_executions (id, agent_id, status, started_at, completed_at, duration_seconds)
SELECT 'good' || n, 'a', 'completed', now() - interval '2 hours', now() - interval '2 hours' + n * interval '10 seconds',
       CASE WHEN n > 2 THEN n * 10 ELSE 0 END
FROM generate_series(1, 4) AS n;
INSERT INTO agent_executions (id, agent_id, status, started_at, completed_at) VALUES
  ('endless', 'a', 'completed', now() - interval '2 hours', NULL),
  ('stuck''"', 'a', 'running', now() - interval '3 hours', NULL),
  ('cancelled', 'a', 'cancelled', now() - interval '2 hours', NULL),
  ('old', 'a', 'completed', now() - interval '3 days', now() - interval '3 days' + interval '1 hour');
INSERT INTO agent_executions (id, agent_id, status, started_at, completed_at, error_message)
SELECT 'bad' || n, 'b', CASE WHEN n = 5 THEN 'killed_sandbox' ELSE 'failed' END, now() - interval '90 minutes',
       now() - interval '80 minutes', message
FROM unnest(ARRAY[
  'timed out after 31 s for "order 7" 0b7e5a3e-1111-4222-8333-444455556666',
  'timed out after 4 s for "order 9" 99999999-1111-4222-8333-444455556666',
  E'password=hunter2-of-the-agent\nrefused', repeat('long ', 2000), NULL]) WITH ORDINALITY AS said (message, n);
INSERT INTO skills (id, name) VALUES ('s1', 'send'), ('s2', 'o''dd');
INSERT INTO skill_executions (id, agent_id, skill_id, skill_source, status, error_message, created_at, completed_at)
SELECT n::text, 'a', 's1', 'cloud', CASE WHEN n <= 3 THEN 'success' ELSE 'failed' END, CASE WHEN n = 4 THEN 'HTTP 502 | bad' END,
       now() - interval '2 hours', now() - interval '2 hours' + interval '4 seconds'
FROM generate_series(1, 4) AS n;
INSERT INTO skill_executions (id, agent_id, skill_id, status, created_at) VALUES
  ('5', 'a', 's1', 'running', now() - interval '2 hours'), ('6', 'a', 's2', 'success', now() - interval '2 hours');
INSERT INTO agent_episodes (id, agent_id, status, started_at, archived_at, importance_score, decay_score, access_count) VALUES
  ('1', 'a', 'completed', now() - interval '40 days', NULL, 0.5, 0.4, 3),
  ('2', 'a', 'completed', now() - interval '200 days', NULL, 0.7, 0.2, 2),
  ('3', 'b', 'active', now(), NULL, 0.1, 1, 0),
  ('4', 'b', 'archived', now() - interval '200 days', now(), 0.1, 0, 0);
INSERT INTO episode_segments (id, episode_id, sequence_order, segment_type, content)
SELECT id, id, 1, 'action', repeat(md5(id), 2000) FROM agent_episodes;
INSERT INTO users (id, first_name, last_name, email, role, hashed_password, status, two_factor_enabled) VALUES
  ('1', 'Root', NULL, 'root@example.com', 'super_admin', '$2b$secret-hash', 'active', true),
  ('2', 'Weak', NULL, 'weak@example.com', 'admin', '$2b$secret-hash', 'active', NULL),
  ('3', 'Gone', NULL, 'gone@example.com', 'owner', '$2b$secret-hash', 'suspended', true),
  ('4', E'O''Mally', '| "x"', 'mally@example.com', 'auditor', '$2b$secret-hash', 'active', false);
INSERT INTO permissions (id, name) VALUES ('p1', 'read'), ('p2', 'run'), ('p3', 'rule');
INSERT INTO custom_roles (id, name) VALUES ('r1', 'auditor'), ('r2', 'ruler');
INSERT INTO role_permissions (role_id, permission_id) VALUES ('r1', 'p1'), ('r1', 'p2'), ('r2', 'p3');
