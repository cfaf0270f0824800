"""Log files of every shape, read by the real scanner: in the window, rotated, packed, damaged, refused."""

import datetime as dt
import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from atomops.facts.logins import LoginFacts, Source
from atomops.probes.parts import LOGINS
from atomops.scratch.postgres import PostgresServer
from atomops.verdict import Unseen
from tests.peers import refused_port
from tests.postgres_servers import postgres_server
from tests.targets import findings, look, target

PLACE = "203.0.113.7"


ENDINGS = {"stderr": ".log", "csvlog": ".csv", "jsonlog": ".json"}


@pytest.fixture(scope="module")
def logging(server_folder: Path) -> Iterator[PostgresServer]:
    """A server that writes its log by itself, in every format."""
    settings = {
        "logging_collector": "on",
        "log_destination": "stderr,csvlog,jsonlog",
        "log_filename": "by_itself.log",
        "log_line_prefix": "%m [%p] %r ",
    }
    with postgres_server(17, server_folder, settings=settings) as server:
        yield server


def ago(hours: float) -> str:
    return (dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def line(hours: float, **fields: object) -> str:
    return json.dumps({"timestamp": ago(hours), "logger": "core.auth", **fields})


def written(path: Path, *lines: str) -> Path:
    text = "".join(f"{each}\n" for each in lines).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def seen_of(path: Path, **security: object) -> LoginFacts:
    facts = look(LOGINS, target(logs={"paths": [path]}, security=security))
    assert isinstance(facts, LoginFacts)
    return facts


def log_of(seen: LoginFacts) -> Source:
    assert isinstance(seen.log, Source)
    return seen.log


def test_failed_logins_of_three_shapes_are_counted_in_the_window_and_in_rotated_files(tmp_path: Path) -> None:
    log = written(
        tmp_path / "atom.log",
        line(30, level="warning", event="login_failed", user="ada", ip=PLACE),  # too old
        line(5, level="warning", event="Login failed", user="ada", ip=PLACE),
        f"WARNING:api.auth:Failed login for ada@example.com from {PLACE}",  # dated by the line before it
        line(4, level="WARNING", message="Authentication failed", user_email="ada@example.com", ip_address=PLACE),
        line(3, level="info", message="unauthorized is what we answer with 401"),
        "INFO:api.docs:failed authentication is explained here",
        *(line(2, level="info", event="request", n=number) for number in range(100)),
    )
    of_bob = line(9, level="error", event="login_failed", user="bob", ip="2001:db8::1")
    written(tmp_path / "atom.log.1.gz", of_bob)
    source = log_of(seen_of(log))
    told = {(each.account, each.address): each.count for each in source.failed}
    assert told == {("ada", PLACE): 1, ("ada@example.com", PLACE): 2, ("bob", "2001:db8::1"): 1}
    assert source.incomplete == ()
    (bob,) = [each for each in source.failed if each.account == "bob"]
    assert bob.last == dt.datetime.fromisoformat(json.loads(of_bob)["timestamp"])
    assert log_of(seen_of(log, login_hours=48)).total == 5


def test_a_large_log_is_read_from_where_its_window_begins(tmp_path: Path) -> None:
    filler = [line(40 - number / 2000, level="info", event="request", path="/api/agents") for number in range(30_000)]
    log = written(
        tmp_path / "atom.log",
        *filler,
        *(line(1, level="warning", event="login_failed", user=f"user{n}", ip=PLACE) for n in range(40)),
    )
    found = findings(LOGINS, seen_of(log))
    assert found["SEC-LOGINS-SPRAYED"].level == "CRITICAL"
    assert found["SEC-LOGINS-ADDRESS"].summary == f"40 failed logins from {PLACE} in 24 h"


def test_a_damaged_file_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    log = written(tmp_path / "atom.log", line(1, level="info", event="started"))
    packed = written(tmp_path / "atom.log.1.gz", *(line(2, level="info", event="x", n=n) for n in range(1000)))
    packed.write_bytes(packed.read_bytes()[:-40])
    source = log_of(seen_of(log))
    assert "is damaged" in source.incomplete[0].reason
    assert findings(LOGINS, seen_of(log))["SEC-LOGINS-LOG"].level == "UNKNOWN"


def test_a_log_that_is_not_there_is_unknown_and_says_so(tmp_path: Path) -> None:
    seen = seen_of(tmp_path / "no.log")
    assert isinstance(seen.log, Unseen)
    assert "does not exist" in seen.log.reason


def test_a_database_that_is_down_leaves_the_log_to_tell(tmp_path: Path) -> None:
    log = written(tmp_path / "atom.log", line(1, level="warning", event="login_failed", user="ada", ip=PLACE))
    at = target(logs={"paths": [log]}, postgres={"dsn": f"postgresql://a@127.0.0.1:{refused_port()}/atom"})
    seen = look(LOGINS, at)
    assert isinstance(seen.table, Unseen)
    assert "refuses" in seen.table.reason or "cannot be reached" in seen.table.reason
    assert findings(LOGINS, seen)["SEC-LOGINS-LOG"].observed == 1


@pytest.mark.parametrize("kind", ["stderr", "csvlog", "jsonlog"])
def test_postgres_itself_tells_of_passwords_that_it_refused(logging: PostgresServer, kind: str) -> None:
    wrong = target("hunter2-but-wrong", postgres={"dsn": logging.dsn(user="nobody_at_all"), "password": "env:X"})
    assert isinstance(look(LOGINS, wrong).table, Unseen)
    own = target(security={"postgres_logs": [logging.data / "log" / f"by_itself{ENDINGS[kind]}"]})
    assert not LOGINS.missing(own)
    found = findings(LOGINS, look(LOGINS, own))
    assert found["SEC-LOGINS-POSTGRES"].evidence is not None
    assert ("nobody_at_all", "127.0.0.1") in {row[:2] for row in found["SEC-LOGINS-POSTGRES"].evidence.rows}


def test_a_large_log_of_a_postgres_in_another_time_zone_is_read_from_where_its_window_begins(tmp_path: Path) -> None:
    def at(hours: float) -> str:
        return (dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours)).strftime("%Y-%m-%d %H:%M:%S.123 UTC [42]")

    log = written(
        tmp_path / "postgresql.log",
        *(f"{at(40 - number / 2000)} LOG:  duration: 1.1 ms" for number in range(32_000)),
        f'{at(23.5)} {PLACE} FATAL:  password authentication failed for user "ada"',
        *(f"{at(23.4 - number / 2000)} LOG:  duration: 1.1 ms" for number in range(32_000)),
    )
    seen = look(LOGINS, target(timezone="Asia/Tokyo", security={"postgres_logs": [log]}))
    assert isinstance(seen, LoginFacts)
    assert isinstance(seen.postgres, Source)
    assert [(each.account, each.address, each.count) for each in seen.postgres.failed] == [("ada", PLACE, 1)]


def test_a_scanner_that_takes_too_long_is_ended_and_told(tmp_path: Path) -> None:
    log = written(tmp_path / "atom.log", line(1, level="info", event="started"))
    seen = look(LOGINS, target(logs={"paths": [log], "deadline": 0.001}))
    assert isinstance(seen.log, Unseen)
    assert "could not be read within 0.001 s" in seen.log.reason


def test_without_any_source_there_is_nothing_to_look_at() -> None:
    assert LOGINS.missing(target())
