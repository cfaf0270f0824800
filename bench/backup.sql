-- What an application like Atom keeps beside pgbench's own tables, the same rows at every run: agents, their executions
-- (JSONB of many shapes) and events of those. psql gives the numbers of rows: agents, executions, events.
SELECT setseed(0.5);

CREATE TABLE agents (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    category text NOT NULL,
    settings jsonb NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE TABLE executions (
    id uuid PRIMARY KEY,
    agent_id uuid NOT NULL,
    status text NOT NULL,
    result jsonb NOT NULL,
    started_at timestamptz NOT NULL,
    duration_seconds double precision
);
CREATE TABLE events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    execution_id uuid NOT NULL,
    kind text NOT NULL,
    at timestamptz NOT NULL,
    message text
);

CREATE FUNCTION pg_temp.words(number integer) RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT string_agg(
        (ARRAY['customer', 'invoice', 'asked', 'for', 'the', 'a', 'refund', 'of', 'order', 'and', 'agent', 'answered',
               'with', 'policy', 'then', 'escalated', 'to', 'support', 'because', 'delivery', 'was', 'late', 'again',
               'summary', 'context', 'window', 'retrieved', 'documents', 'confidence', 'low', 'high', 'tool'])
        [1 + floor(random() * 32)::integer], ' ')
    FROM generate_series(1, number)
$$;
CREATE TEMP TABLE sentences AS SELECT n AS number, pg_temp.words(15 + n % 35) AS sentence FROM generate_series(0, 49999) AS n;
CREATE INDEX ON sentences (number);
CREATE FUNCTION pg_temp.sentence(seed bigint) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT sentence FROM pg_temp.sentences WHERE number = seed % 50000
$$;

INSERT INTO agents
SELECT md5('agent' || n)::uuid, initcap(pg_temp.words(2 + n % 2)) || ' ' || n,
       (ARRAY['sales', 'support', 'finance', 'research'])[1 + n % 4],
       jsonb_build_object('model', 'model-' || n % 7, 'temperature', round(random()::numeric, 2),
                          'tools', jsonb_build_array('search', 'mail', 'tool-' || n % 50)),
       timestamptz '2026-01-01 00:00+00' + n * interval '1 minute'
FROM generate_series(1, :agents) AS n;

INSERT INTO executions
SELECT md5('execution' || n)::uuid, md5('agent' || 1 + n * 7919::bigint % :agents)::uuid,
       CASE WHEN n % 40 = 0 THEN 'failed' WHEN n % 333 = 0 THEN 'cancelled' ELSE 'completed' END,
       jsonb_build_object('trace', md5(random()::text), 'tokens', floor(random() * 9000), 'cost', random() / 10,
                          'summary', pg_temp.sentence(n * 7919::bigint), 'answer', pg_temp.sentence(n * 104729::bigint))
       || CASE n % 5
          WHEN 0 THEN jsonb_build_object('steps', (
              SELECT jsonb_agg(jsonb_build_object('tool', 'tool-' || step, 'ms', floor(random() * 5000), 'ok', step % 9 > 0))
              FROM generate_series(1, 1 + n % 9) AS step))
          WHEN 1 THEN jsonb_build_object('documents', jsonb_build_array(md5(random()::text), md5(random()::text)),
                                         'scores', jsonb_build_array(random(), random(), random()))
          WHEN 2 THEN jsonb_build_object('user', jsonb_build_object('email', 'u' || n % 90000 || '@example.com',
                                         'locale', 'de', 'tags', jsonb_build_array('vip', n % 12)), 'pinned', n % 2 = 0)
          WHEN 3 THEN jsonb_build_object('error', CASE WHEN n % 40 = 3 THEN pg_temp.sentence(n * 31::bigint) END, 'retries', n % 4)
          ELSE '{"cached": true, "source": null}' END,
       timestamptz '2026-03-01 00:00+00' + n * interval '13 seconds',
       CASE WHEN n % 333 > 0 THEN random() * 60 END
FROM generate_series(1, :executions) AS n;

INSERT INTO events (execution_id, kind, at, message)
SELECT md5('execution' || 1 + n % :executions)::uuid,
       (ARRAY['started', 'llm_called', 'tool_called', 'answered', 'archived'])[1 + n % 5],
       timestamptz '2026-03-01 00:00+00' + n * interval '2.6 seconds',
       CASE WHEN n % 3 > 0 THEN 'took ' || floor(random() * 4000) || ' ms in session ' || n % 100000 END
FROM generate_series(1, :events) AS n;

ALTER TABLE executions ADD FOREIGN KEY (agent_id) REFERENCES agents;
ALTER TABLE events ADD FOREIGN KEY (execution_id) REFERENCES executions;
CREATE INDEX ON executions (agent_id, started_at);
CREATE INDEX ON executions (started_at) WHERE status = 'failed';
CREATE INDEX ON executions ((result ->> 'trace'));
CREATE INDEX ON executions (status, started_at);
CREATE INDEX ON events (execution_id);
CREATE INDEX ON events (kind, at);
CREATE INDEX ON events (at);
