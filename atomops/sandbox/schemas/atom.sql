-- The tables of the real application that we read, with its column names and types.
CREATE TABLE users (
    id varchar PRIMARY KEY,
    email varchar NOT NULL UNIQUE,
    first_name varchar,
    last_name varchar,
    role varchar DEFAULT 'member',
    status varchar DEFAULT 'active',
    is_active boolean DEFAULT true,
    last_login timestamptz,
    hashed_password varchar,
    two_factor_enabled boolean DEFAULT false,
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz
);

CREATE TABLE permissions (
    id varchar PRIMARY KEY,
    name varchar NOT NULL UNIQUE
);

CREATE TABLE custom_roles (
    id varchar PRIMARY KEY,
    name varchar NOT NULL UNIQUE
);

CREATE TABLE role_permissions (
    role_id varchar NOT NULL REFERENCES custom_roles (id),
    permission_id varchar NOT NULL REFERENCES permissions (id),
    PRIMARY KEY (role_id, permission_id)
);
CREATE INDEX ON role_permissions (permission_id);

CREATE TABLE agent_registry (
    id varchar PRIMARY KEY,
    name varchar NOT NULL,
    category varchar,
    status varchar DEFAULT 'student',
    user_id varchar REFERENCES users (id),
    confidence_score double precision DEFAULT 0.5,
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz
);
CREATE INDEX ON agent_registry (user_id);

CREATE TABLE agent_executions (
    id varchar PRIMARY KEY,
    agent_id varchar NOT NULL REFERENCES agent_registry (id),
    workspace_id varchar,
    status varchar DEFAULT 'running',
    input_summary text,
    output_summary text,
    triggered_by varchar DEFAULT 'manual',
    started_at timestamptz DEFAULT now(),
    completed_at timestamptz,
    duration_seconds double precision DEFAULT 0.0,
    result_summary text,
    error_message text
);
CREATE INDEX ON agent_executions (agent_id);
CREATE INDEX ON agent_executions (workspace_id);

CREATE TABLE skills (
    id varchar PRIMARY KEY,
    name varchar NOT NULL
);

CREATE TABLE skill_executions (
    id varchar PRIMARY KEY,
    agent_id varchar NOT NULL REFERENCES agent_registry (id),
    skill_id varchar NOT NULL,
    skill_source varchar,
    status varchar DEFAULT 'pending',
    error_message text,
    execution_seconds double precision DEFAULT 0.0,
    created_at timestamptz DEFAULT now(),
    completed_at timestamptz
);
CREATE INDEX ON skill_executions (agent_id);
CREATE INDEX ON skill_executions (skill_id);

CREATE TABLE agent_episodes (
    id varchar PRIMARY KEY,
    agent_id varchar NOT NULL REFERENCES agent_registry (id),
    execution_id varchar REFERENCES agent_executions (id),
    status varchar DEFAULT 'active',
    started_at timestamptz DEFAULT now(),
    ended_at timestamptz,
    archived_at timestamptz,
    importance_score double precision DEFAULT 0.5,
    decay_score double precision DEFAULT 1.0,
    access_count integer DEFAULT 0
);
CREATE INDEX ON agent_episodes (agent_id);
CREATE INDEX ON agent_episodes (execution_id);

CREATE TABLE episode_segments (
    id varchar PRIMARY KEY,
    episode_id varchar NOT NULL REFERENCES agent_episodes (id),
    sequence_order integer NOT NULL,
    segment_type varchar NOT NULL,
    content text NOT NULL,
    created_at timestamptz DEFAULT now()
);
CREATE INDEX ON episode_segments (episode_id);

CREATE TABLE saas_audit_logs (
    id varchar PRIMARY KEY,
    action varchar NOT NULL,
    user_email varchar,
    ip_address varchar,
    "timestamp" timestamptz DEFAULT now()
);
CREATE INDEX ON saas_audit_logs ("timestamp");
