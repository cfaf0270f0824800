-- The tables as the operations guide's statements expect them.
CREATE TABLE agent_registry (
    id text PRIMARY KEY,
    name text NOT NULL,
    status text NOT NULL DEFAULT 'active',
    maturity_level text NOT NULL DEFAULT 'student',
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE agent_execution (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agent_id text NOT NULL REFERENCES agent_registry (id),
    user_id text,
    ip_address inet,
    status text NOT NULL DEFAULT 'running',
    error_message text,
    error_code text,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz
);
CREATE INDEX ON agent_execution (agent_id);
CREATE INDEX ON agent_execution (started_at);

CREATE TABLE skill_execution (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    skill_name text NOT NULL,
    skill_source text,
    status text NOT NULL DEFAULT 'running',
    error_message text,
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz
);
CREATE INDEX ON skill_execution (created_at);

CREATE TABLE episode (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agent_id text REFERENCES agent_registry (id),
    storage_tier text NOT NULL DEFAULT 'hot',
    relevance_score numeric NOT NULL DEFAULT 0.5,
    access_count integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON episode (agent_id);

CREATE TABLE episode_segment (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    episode_id bigint NOT NULL REFERENCES episode (id),
    content text,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON episode_segment (episode_id);

CREATE TABLE users (
    id text PRIMARY KEY,
    username text NOT NULL UNIQUE,
    email text NOT NULL,
    role text NOT NULL DEFAULT 'member',
    password_hash text,
    status text NOT NULL DEFAULT 'active',  -- this and the next are not in the guide: its statements need neither
    two_factor_enabled boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz
);

CREATE TABLE agent_permissions (
    user_id text NOT NULL REFERENCES users (id),
    agent_id text NOT NULL REFERENCES agent_registry (id),
    permission_level text NOT NULL,
    granted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, agent_id)
);
CREATE INDEX ON agent_permissions (agent_id);
