"""The facts of a healthy PostgreSQL server, to be spoilt by tests with `dataclasses.replace`."""

import datetime as dt

from atomops.facts.postgres import Archiver, Counters, Database, PostgresFacts, Server

AT = dt.datetime(2026, 11, 24, 9, 0, tzinfo=dt.UTC)
SERVER = Server(
    version="17.10",
    version_number=170010,
    uptime=40 * 86_400,
    clock_offset=0.01,
    is_replica=False,
    replay_delay=None,
    database="atom",
    role="reader",
    is_monitor=True,
    connection_limit=97,
)
COUNTERS = Counters("atom", deadlocks=2, temp_files=5, temp_bytes=1, checksum_failures=0, stats_reset=None)
HEALTHY = PostgresFacts(
    at=AT,
    server=SERVER,
    databases=(Database("atom", 1_000, 10, 10_000_000), Database("template0", 2_000, 5, None)),
    counters=(COUNTERS,),
    clients=(),
    sessions=(),
    lock_waits=(),
    prepared_transactions=(),
    replicas=(),
    slots=(),
    archiver=(Archiver("on", failing=False, last_failed=None, failures=0, last_success_age=30),),
    tables=(),
    invalid_indexes=(),
    unused_indexes=(),
    duplicate_indexes=(),
    foreign_keys=(),
    sequences=(),
    pending_settings=(),
    statements=(),
    profile="atom",
    answers={},
)
