-- A database with one of everything that a dump and a restore could lose.
CREATE EXTENSION hstore;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE "Two Parts" AS (a int, b mood);
CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');
CREATE SCHEMA "Größe "" und so";

CREATE TABLE plain (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, at timestamptz DEFAULT now());
INSERT INTO plain (name) SELECT 'row ' || n FROM generate_series(1, 5000) AS n;

CREATE TABLE no_key (a int, b text);
INSERT INTO no_key SELECT n % 7, 'same' FROM generate_series(1, 1000) AS n;  -- equal rows must not cancel each other

CREATE TABLE typed (
    id serial PRIMARY KEY, mood mood, moods mood[], two "Two Parts", mail email, j json, jb jsonb, x xml, p point,
    r int4range, b bytea, n numeric, f float8, m money, i interval, h hstore, o oid, c regclass, v tsvector, u uuid,
    ip inet, bits bit varying, double_n numeric GENERATED ALWAYS AS (n * 2) STORED
);
INSERT INTO typed (mood, moods, two, mail, j, jb, x, p, r, b, n, f, m, i, h, o, c, v, u, ip, bits)
SELECT 'ok', ARRAY['sad', 'happy']::mood[], ROW(n, 'sad')::"Two Parts", n || '@x', '{"a": 1}', jsonb_build_object('n', n),
       '<a/>', point(n, n), int4range(n, n + 5), decode('00ff', 'hex'), n / 7.0, n / 3.0, n::text::money,
       n * interval '1 hour', hstore('k', n::text), n::oid, 'plain'::regclass, to_tsvector('word ' || n),
       md5(n::text)::uuid, '10.0.0.1', B'1011'
FROM generate_series(1, 200) AS n;
INSERT INTO typed DEFAULT VALUES;

CREATE TABLE "Größe "" und so"."täble ""quoted""" ("Spalte ä" int, "select" text);
INSERT INTO "Größe "" und so"."täble ""quoted""" VALUES (1, 'ü'), (2, NULL);

CREATE TABLE events (id int, at date NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE INDEX ON events (at);
INSERT INTO events SELECT n, date '2025-12-01' + n, 'e' FROM generate_series(1, 90) AS n;

CREATE TABLE by_hash (m mood, n int) PARTITION BY HASH (m);
CREATE TABLE by_hash_0 PARTITION OF by_hash FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE by_hash_1 PARTITION OF by_hash FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO by_hash SELECT (ARRAY['sad', 'ok', 'happy']::mood[])[1 + n % 3], n FROM generate_series(1, 300) AS n;

CREATE TABLE parent (a int, b text);
CREATE TABLE child (c int, b text, a int);
ALTER TABLE child INHERIT parent;  -- its columns come back in another order
INSERT INTO parent VALUES (1, 'p');
INSERT INTO child SELECT n, 'c', n FROM generate_series(1, 10) AS n;

CREATE UNLOGGED TABLE scratchpad (a int);
INSERT INTO scratchpad VALUES (1), (2);
CREATE TABLE without_columns ();
INSERT INTO without_columns DEFAULT VALUES;
CREATE TABLE empty_table (a int);

CREATE TABLE orders (id int PRIMARY KEY, plain_id bigint REFERENCES plain, total numeric CHECK (total >= 0));
ALTER TABLE orders ADD CONSTRAINT late CHECK (total < 1000000) NOT VALID;
INSERT INTO orders SELECT n, n, n FROM generate_series(1, 100) AS n;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touched BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
CREATE VIEW totals AS SELECT sum(total) FROM orders;
CREATE MATERIALIZED VIEW frozen AS SELECT count(*) AS n FROM plain;
CREATE UNIQUE INDEX ON frozen (n);

CREATE EXTENSION postgres_fdw;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '1', dbname 'x');
CREATE FOREIGN TABLE far_away (a int) SERVER elsewhere;

SELECT lo_from_bytea(0, decode(repeat('ab', 5000), 'hex')) FROM generate_series(1, 3);
CREATE SEQUENCE countdown INCREMENT -5 START 100 MINVALUE -1000 MAXVALUE 100;
SELECT nextval('countdown'), nextval('countdown');
CREATE SEQUENCE never_used;
CREATE TABLE alembic_version (version_num varchar(64) PRIMARY KEY);
INSERT INTO alembic_version VALUES ('20260216_a_revision_longer_than_thirty_two');
