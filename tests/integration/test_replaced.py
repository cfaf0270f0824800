"""The databases that restores have replaced, on a real server: seen by anybody, dropped by whoever may."""

import asyncio
import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from atomops.change.journal import Unfinished, forget, remember
from atomops.change.lock import one_change_at_a_time
from atomops.doctor import unseen_in
from atomops.facts.replaced import Dropping
from atomops.inventory import Target
from atomops.probes.parts import REPLACED
from atomops.restore.databases import INCOMING, Mark
from atomops.restore.databases import REPLACED as WAS_REPLACED
from atomops.restore.dropping import drop_due
from atomops.restore.recovery import clear_leftovers
from atomops.scratch.postgres import PostgresServer
from tests.backup_sets import NIGHT
from tests.peers import refused_port
from tests.targets import findings, look, target
from tests.waiting import PATIENCE

PAST, LATER = dt.timedelta(days=-3), dt.timedelta(days=3)
READER = "hunter2-of-a-reader"


@pytest.fixture(scope="module")
def server(postgres: PostgresServer) -> PostgresServer:
    postgres.create_database("kept")
    postgres.create_reader("kept_reader", READER)
    postgres.create_reader("kept_nobody", READER, grants=())
    return postgres


@pytest.fixture
def made(server: PostgresServer) -> Iterator[Callable[..., str]]:
    """Makes a database with a mark, as an exchange leaves it."""
    names = []

    def make(  # noqa: PLR0913 - a mark has many parts
        name: str,
        due_in: dt.timedelta,
        *,
        of: str = "kept",
        kind: str = WAS_REPLACED,
        opened: bool = False,
        raw: str = "",
    ) -> str:
        until = dt.datetime.now(dt.UTC) + due_in
        mark = raw or Mark(kind, of, (until - dt.timedelta(days=7)).isoformat(), "why", until.isoformat()).text
        names.append(name)
        server.create_database(name)
        with server.connect() as session:
            session.execute(f"COMMENT ON DATABASE {name} IS $mark${mark}$mark$".encode())
            session.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {str(opened).lower()}".encode())
            session.execute(f"REVOKE CONNECT ON DATABASE {name} FROM public".encode())
        return name

    yield make
    with server.connect() as session:
        for name in names:
            session.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())


def world(server: PostgresServer, tmp_path: Path, *, changes: bool = True, user: str = "postgres") -> Target:
    password = server.password if user == "postgres" else READER
    more = {"changes": {"dsn": server.dsn("kept"), "password": "env:X"}} if changes else {}
    dsn = {"dsn": server.dsn("kept", user), "password": "env:X"}
    return target(password, postgres=dsn, history=str(tmp_path / "history"), **more)


def dropped(at: Target, why_not: str = "") -> Dropping:
    async def under_lock() -> Dropping:
        async with one_change_at_a_time(at, "a test") as lock:
            return await drop_due(at, lock, why_not=why_not)

    return asyncio.run(under_lock())


def databases(server: PostgresServer) -> set[str]:
    with server.connect() as session:
        return {str(row[0]) for row in session.execute("SELECT datname FROM pg_database").fetchall()}


def test_a_role_that_only_reads_sees_them_all_and_what_they_take(
    server: PostgresServer, made: Callable[..., str], tmp_path: Path
) -> None:
    made("kept_replaced_1", LATER)
    made("other_replaced_1", PAST, of="other")
    made("kept_incoming_1", LATER, kind=INCOMING)
    made("kept_odd", LATER, raw="atomops {not ours}")
    made("kept_never", LATER, raw=Mark(WAS_REPLACED, "kept", NIGHT.isoformat(), until="some day").text)

    seen = look(REPLACED, world(server, tmp_path, changes=False, user="kept_reader"))

    assert [each.name for each in seen.databases] == ["other_replaced_1", "kept_replaced_1"]
    assert all(each.bytes > 5_000_000 for each in (*seen.databases, *seen.copies))
    assert [each.name for each in seen.copies] == ["kept_incoming_1"]
    assert set(seen.unreadable) == {"kept_odd", "kept_never"}
    found = findings(REPLACED, seen)
    assert found["REPLACED-OVERDUE"].summary.startswith("other_replaced_1 should have been dropped 3 days ago")
    assert found["REPLACED-SIZE"].observed == sum(each.bytes for each in (*seen.databases, *seen.copies))


def test_a_size_that_is_hidden_is_unknown_and_a_missing_database_hides_nothing(
    server: PostgresServer, made: Callable[..., str], tmp_path: Path
) -> None:
    made("kept_replaced_2", LATER)
    at = world(server, tmp_path, changes=False, user="kept_nobody")
    seen = look(REPLACED, at.model_copy(update={"postgres": _gone(at, server)}))
    assert [(each.name, each.bytes) for each in seen.databases] == [("kept_replaced_2", None)]
    assert str(findings(REPLACED, seen)["REPLACED-SIZE"].level) == "UNKNOWN"
    assert list(unseen_in(seen)) == []


def _gone(at: Target, server: PostgresServer) -> object:
    assert at.postgres is not None
    return at.postgres.model_copy(update={"dsn": server.dsn("kept_and_lost", "kept_nobody")})


def test_only_what_is_due_shut_marked_and_ours_is_dropped(
    server: PostgresServer, made: Callable[..., str], tmp_path: Path
) -> None:
    due = made("kept_replaced_3", PAST)
    refused = made("kept_refused_3", PAST, kind="refused")
    stays = [
        made("kept_replaced_4", LATER),
        made("kept_replaced_5", PAST, opened=True),
        made("somebodys", PAST, of="other_database"),
        made("kept_incoming_3", PAST, kind=INCOMING),
        made("live_again", PAST, of="live_again"),
    ]

    done = dropped(world(server, tmp_path))

    assert set(done.dropped) == {due, refused}
    assert done.failed == {"kept_replaced_5": "it lets sessions in again: somebody uses it"}
    assert databases(server) >= set(stays)
    assert not databases(server) & {due, refused}
    assert dropped(world(server, tmp_path)).dropped == ()


def test_a_copy_that_somebody_has_renamed_to_live_on_it_is_no_leftover(
    server: PostgresServer, made: Callable[..., str], tmp_path: Path
) -> None:
    copy = Mark(INCOMING, "kept_live", NIGHT.isoformat(), target="test").text
    left, live = made("kept_live_incoming_1", PAST, raw=copy), made("kept_live", PAST, raw=copy)
    assert asyncio.run(clear_leftovers(world(server, tmp_path), "kept_live")) == (left,)
    assert live in databases(server)


def test_without_a_role_that_may_drop_each_is_named_and_nothing_goes(
    server: PostgresServer, made: Callable[..., str], tmp_path: Path
) -> None:
    name = made("kept_replaced_6", PAST)
    assert "the inventory has no changes.dsn" in dropped(world(server, tmp_path, changes=False)).failed[name]
    at = world(server, tmp_path, user="kept_reader")
    changes = at.changes.model_copy(update={"dsn": server.dsn("kept", "kept_reader")})
    assert "may not drop it" in dropped(at.model_copy(update={"changes": changes})).failed[name]
    assert name in databases(server)


def test_nothing_goes_in_a_dry_run_after_a_bad_night_or_while_a_restore_is_unfinished(
    server: PostgresServer, made: Callable[..., str], tmp_path: Path
) -> None:
    name, at = made("kept_replaced_7", PAST), world(server, tmp_path)
    assert [each.name for each in asyncio.run(drop_due(at, None)).due] == [name]
    assert dropped(at, "kept has no new set").held_back == "kept has no new set"
    remember(at, Unfinished("restore-database", "", NIGHT, "exchange"))
    assert dropped(at).held_back.startswith("restore-database of ")
    forget(at)
    assert name in databases(server)
    assert dropped(at).dropped == (name,)


def test_a_server_that_does_not_answer_is_told_and_never_taken_for_one_without_any(
    server: PostgresServer, tmp_path: Path
) -> None:
    at = world(server, tmp_path, user="kept_reader")
    assert at.postgres is not None
    silent = at.postgres.model_copy(update={"dsn": f"postgresql://kept_reader@127.0.0.1:{refused_port()}/kept"})
    done = asyncio.run(drop_due(at.model_copy(update={"postgres": silent}), None))
    assert done.problem is not None
    assert "refuses the connection" in done.problem.reason


def test_the_command_lists_them_and_drops_what_is_due_on_record(
    server: PostgresServer, made: Callable[..., str], tmp_path: Path
) -> None:
    due, kept = made("kept_replaced_8", PAST), made("kept_replaced_9", LATER)
    store = tmp_path / "store"
    dsn = f'dsn = "{server.dsn("kept")}"\npassword = "env:A_PASSWORD"'
    (tmp_path / "inventory.toml").write_text(
        f'[targets.production]\nhistory = "{tmp_path}/history"\n[targets.production.postgres]\n{dsn}\n'
        f'[targets.production.changes]\n{dsn}\n[targets.production.backups]\nstore = "{store}"\n'
    )

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "ATOMOPS_"))}
        argv = [sys.executable, "-m", "atomops.cli", "replaced", *arguments, "--inventory", "inventory.toml"]
        env = {**clean, "A_PASSWORD": server.password}
        return subprocess.run(
            argv, env=env, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=PATIENCE
        )

    listed = run("list")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert f"back to {kept}: atomops run restore-database --target production --set database=kept" in listed.stdout
    assert [each["name"] for each in json.loads(run("list", "--json").stdout)["databases"]] == [due, kept]

    planned = run("drop", "--dry-run")
    assert (planned.returncode, planned.stdout.splitlines()) == (
        0,
        ["1 database would be dropped", f'DROP DATABASE "{due}"'],
    )
    assert not (store / "production" / "audit.jsonl").exists()

    done = run("drop")
    assert (done.returncode, done.stdout.splitlines()) == (0, ["1 database dropped", f"dropped {due}"])
    assert databases(server) & {due, kept} == {kept}
    lines = [json.loads(line) for line in (store / "production" / "audit.jsonl").read_text().splitlines()]
    assert [(line["what"], line["result"]) for line in lines] == [
        ("replaced drop", "started"),
        ("replaced drop", "done"),
    ]
    assert lines[1]["after"]["dropped"] == [due]

    held = made("kept_replaced_10", PAST, opened=True)
    failed = run("drop")
    assert (failed.returncode, failed.stdout.splitlines()[1]) == (
        1,
        f"stays: {held}: it lets sessions in again: somebody uses it",
    )


def test_a_copy_that_a_killed_restore_could_not_mark_is_known_by_its_exact_name(
    server: PostgresServer, tmp_path: Path
) -> None:
    mine, theirs = "kept_live_incoming_20261125t071926123", "kept_live_incoming_of_somebody"
    for name in (mine, theirs):
        server.create_database(name)
    assert asyncio.run(clear_leftovers(world(server, tmp_path), "kept_live")) == (mine,)
    with server.connect() as session:
        question = "SELECT datname FROM pg_database WHERE datname ~ '^kept_live_incoming'"
        assert [name for (name,) in session.execute(question)] == [theirs]
        session.execute(f"DROP DATABASE {theirs}")
