-- What a report must not be misled by: names that need quoting, ends that are missing, messages that differ in numbers
-- or hold a password, and a message of 10 kB.
INSERT INTO agent_registry (id, name, maturity_level) VALUES
  ('a', 'Inbox', 'autonomous'), ('b', 'Twin', 'student'), ('c', 'Twin', 'student'),
  ('o''dd"|; --', E'pipe | quote '' " line\nbreak `code` {brace} 100 %', 'intern');
INSERT INTO agent_execution (agent_id, status, started_at, ended_at, error_message)
SELECT 'a', 'completed', now() - interval '2 hours', now() - interval '2 hours' + n * interval '10 seconds', NULL
FROM generate_series(1, 4) AS n;
INSERT INTO agent_execution (agent_id, status, started_at, ended_at, error_message) VALUES
  ('a', 'completed', now() - interval '2 hours', NULL, NULL),
  ('a', 'running', now() - interval '3 hours', NULL, NULL),
  ('a', 'cancelled', now() - interval '2 hours', NULL, NULL),
  ('a', 'completed', now() - interval '3 days', now() - interval '3 days' + interval '1 hour', NULL);
INSERT INTO agent_execution (agent_id, status, started_at, ended_at, error_message)
SELECT 'b', 'failed', now() - interval '90 minutes', now() - interval '80 minutes', message
FROM unnest(ARRAY[
  'timed out after 31 s for "order 7" 0b7e5a3e-1111-4222-8333-444455556666',
  'timed out after 4 s for "order 9" 99999999-1111-4222-8333-444455556666',
  E'password=hunter2-of-the-agent\nrefused', repeat('long ', 2000), NULL]) AS message;
INSERT INTO skill_execution (skill_name, skill_source, status, error_message, created_at, ended_at)
SELECT 'send', 'cloud', CASE WHEN n <= 3 THEN 'success' ELSE 'failed' END, CASE WHEN n = 4 THEN 'HTTP 502 | bad' END,
       now() - interval '2 hours', now() - interval '2 hours' + interval '4 seconds'
FROM generate_series(1, 4) AS n;
INSERT INTO skill_execution (skill_name, status, created_at, ended_at) VALUES
  ('send', 'running', now() - interval '2 hours', NULL), ('o''dd', 'success', now() - interval '2 hours', NULL);
INSERT INTO episode (agent_id, storage_tier, relevance_score, access_count, created_at) VALUES
  ('a', 'hot', 0.5, 3, now() - interval '40 days'), ('a', 'hot', 0.7, 2, now() - interval '200 days'),
  ('b', 'hot', 0.1, 0, now()), ('b', 'archived', 0.1, 0, now() - interval '200 days');
INSERT INTO episode_segment (episode_id, content) SELECT id, repeat(md5(id::text), 2000) FROM episode;
INSERT INTO users (id, username, email, role, password_hash, status, two_factor_enabled) VALUES
  ('1', 'Root', 'root@example.com', 'admin', '$2b$secret-hash', 'active', true),
  ('2', 'Weak', 'weak@example.com', 'admin', '$2b$secret-hash', 'active', false),
  ('3', 'Gone', 'gone@example.com', 'admin', '$2b$secret-hash', 'suspended', true),
  ('4', E'O''Mally | "x"', 'mally@example.com', 'member', '$2b$secret-hash', 'active', false);
INSERT INTO agent_permissions (user_id, agent_id, permission_level) VALUES ('4', 'a', 'read'), ('4', 'b', 'run');
