"""The guide's own backups, made by the guide's own command with the real pg_dump, and then damaged."""

import asyncio
import datetime as dt
import gzip
import os
import random
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from atomops import shell
from atomops.facts.backup_stores import PlainDump, PlainDumps
from atomops.probes import plain_dumps
from atomops.scratch.installations import bundled_binaries
from atomops.scratch.postgres import PostgresServer
from atomops.verdict import Unseen
from tests.waiting import PATIENCE

BERLIN = ZoneInfo("Europe/Berlin")
LONG_AGO = 1_000_000_000  # seconds since 1970
SCRIPT = "CREATE TABLE t (n int, words text); INSERT INTO t SELECT n, repeat('w', 50) FROM generate_series(1, 20000) n;"


@pytest.fixture(scope="module")
def dumped(postgres: PostgresServer) -> bytes:
    """What pg_dump writes: with \\restrict, and with \\unrestrict after the footer."""
    postgres.create_database("plain", SCRIPT)
    argv: list[str | Path] = [bundled_binaries() / "bin" / "pg_dump", "--dbname", postgres.dsn("plain")]
    return asyncio.run(shell.run(argv, timeout=PATIENCE, env={"PGPASSWORD": postgres.password})).stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "backups").mkdir()
    return tmp_path / "backups"


def put(
    folder: Path, content: bytes, name: str = "backup_20261124_020000.sql.gz", *, written: float = LONG_AGO
) -> Path:
    path = folder / name
    path.write_bytes(content)
    path.chmod(0o600)
    os.utime(path, (written, written))
    return path


def looked(folder: Path) -> PlainDumps:
    seen = plain_dumps.look(folder, BERLIN)
    assert isinstance(seen, PlainDumps)
    return seen


def only(folder: Path) -> PlainDump:
    (dump,) = looked(folder).newest
    return dump


def problem(folder: Path, content: bytes, name: str = "backup_20261124_020000.sql.gz") -> str | Unseen:
    put(folder, content, name)
    return only(folder).problem


def test_what_pg_dump_wrote_is_whole_packed_or_not(folder: Path, dumped: bytes) -> None:
    assert b"\\unrestrict" in dumped[-200:], "this pg_dump is not a patched one: the test shows nothing"

    put(folder, gzip.compress(dumped))
    put(folder, dumped, "backup_20261123_020000.sql")

    assert looked(folder) == PlainDumps(
        number=2,
        bytes=len(gzip.compress(dumped)) + len(dumped),
        newest=(
            PlainDump(
                path=str(folder / "backup_20261124_020000.sql.gz"),
                at=dt.datetime(2026, 11, 24, 1, tzinfo=dt.UTC),
                bytes=len(gzip.compress(dumped)),
                is_public=False,
                problem="",
            ),
            PlainDump(
                path=str(folder / "backup_20261123_020000.sql"),
                at=dt.datetime(2026, 11, 23, 1, tzinfo=dt.UTC),
                bytes=len(dumped),
                is_public=False,
                problem="",
            ),
        ),
    )


def test_an_older_client_writes_nothing_after_its_footer(folder: Path, dumped: bytes) -> None:
    older = dumped[: dumped.rindex(b"\\unrestrict")].rstrip() + b"\n\n"

    assert problem(folder, gzip.compress(older)) == ""


def test_the_20_bytes_of_a_failed_dump_are_empty_although_gzip_finds_them_fine(folder: Path) -> None:
    assert len(gzip.compress(b"")) == 20
    assert problem(folder, gzip.compress(b"")) == "empty: pg_dump failed, and the pipe into gzip hid it"
    assert problem(folder, b"") == "empty: pg_dump failed, and the pipe into gzip hid it"


@pytest.mark.parametrize("share", [0.0005, 0.01, 0.5, 0.9, 0.999, 1])
def test_a_truncated_file_is_found_wherever_it_ends(folder: Path, dumped: bytes, share: float) -> None:
    packed = gzip.compress(dumped)

    told = problem(folder, packed[: int(len(packed) * share) - 1])

    assert told == "truncated: it ends in the middle of its gzip stream"


def test_every_one_of_60_flipped_bits_is_found(folder: Path, dumped: bytes) -> None:
    packed = gzip.compress(dumped)
    chance = random.Random(7)  # noqa: S311 - the same every time
    for _ in range(60):
        damaged = bytearray(packed)
        damaged[chance.randrange(10, len(packed))] ^= 1 << chance.randrange(8)  # the first ten say when and by whom

        told = problem(folder, bytes(damaged))

        assert isinstance(told, str)
        assert told.startswith(("damaged: ", "truncated: "))


@pytest.mark.parametrize("name", ["backup_20261124_020000.sql.gz", "backup_20261124_020000.sql"])
def test_a_dump_that_was_broken_off_is_incomplete_even_when_its_packing_is_whole(
    folder: Path, dumped: bytes, name: str
) -> None:
    half = dumped[: len(dumped) // 2]

    told = problem(folder, gzip.compress(half) if name.endswith(".gz") else half, name)

    assert told == 'incomplete: it does not end with "PostgreSQL database dump complete"'


def test_the_words_of_the_footer_inside_the_data_are_no_footer(folder: Path) -> None:
    text = b"COPY public.t (words) FROM stdin;\n-- PostgreSQL database dump complete\nand more rows\n" + b"\n" * 3_000

    assert str(problem(folder, gzip.compress(text))).startswith("incomplete")


def test_a_foreign_file_of_that_name_is_damaged(folder: Path) -> None:
    assert str(problem(folder, b"not gzip at all")).startswith("damaged: Not a gzipped file")


def test_a_file_that_is_being_written_is_not_called_broken(folder: Path, dumped: bytes) -> None:
    put(folder, gzip.compress(dumped)[:1_000], written=dt.datetime.now(dt.UTC).timestamp())

    seen = only(folder).problem

    assert isinstance(seen, Unseen)
    assert "may still be being written" in seen.reason


def test_only_the_newest_five_are_read_and_the_others_counted(
    folder: Path, dumped: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = gzip.compress(dumped)
    for day in range(1, 10):
        put(folder, packed, f"backup_202611{day:02}_020000.sql.gz")
    for other in ("backup_20261130.sql.gz", "backup_20261130_020000.sql.gz.partial", "notes.txt"):
        put(folder, packed, other)
    opened: list[str] = []
    gzip_open = gzip.open

    def noting(path: Path) -> gzip.GzipFile:
        opened.append(path.name)
        return gzip_open(path)

    monkeypatch.setattr(gzip, "open", noting)

    seen = looked(folder)

    assert (seen.number, seen.bytes) == (9, 9 * len(packed))
    assert [each.at.day for each in seen.newest] == [9, 8, 7, 6, 5]
    assert opened == [f"backup_202611{day:02}_020000.sql.gz" for day in (9, 8, 7, 6, 5)]


def test_a_large_file_is_left_when_the_time_is_over(folder: Path, dumped: bytes) -> None:
    put(folder, gzip.compress(dumped))

    seen = plain_dumps.look(folder, BERLIN, stop=lambda: True)

    assert isinstance(seen, PlainDumps)
    assert isinstance(seen.newest[0].problem, Unseen)
    assert "in the time allowed" in seen.newest[0].problem.reason


def test_a_file_for_everybody_is_public_only_where_everybody_may_walk_to_it(server_folder: Path, dumped: bytes) -> None:
    folder = server_folder / "public-backups"
    folder.mkdir()
    put(folder, gzip.compress(dumped)).chmod(0o644)

    folder.chmod(0o755)
    assert only(folder).is_public
    folder.chmod(0o700)
    assert not only(folder).is_public


def test_what_is_no_file_and_what_leads_nowhere_is_unseen(folder: Path) -> None:
    os.mkfifo(folder / "backup_20261124_020000.sql.gz")
    (folder / "backup_20261123_020000.sql").symlink_to("nowhere")

    problems = [each.problem for each in looked(folder).newest]

    assert [each.reason for each in problems if isinstance(each, Unseen)] == [
        "it is no file",
        "it cannot be read (No such file or directory)",
    ]


def test_a_name_that_is_no_date_leaves_the_time_of_the_last_change(folder: Path, dumped: bytes) -> None:
    put(folder, gzip.compress(dumped), "backup_20269999_999999.sql.gz")

    assert only(folder).at == dt.datetime.fromtimestamp(LONG_AGO, dt.UTC)


def test_no_folder_has_no_files_and_a_file_is_no_folder(tmp_path: Path) -> None:
    assert plain_dumps.look(tmp_path / "none", BERLIN) == PlainDumps()
    (tmp_path / "file").touch()
    seen = plain_dumps.look(tmp_path / "file", BERLIN)
    assert isinstance(seen, Unseen)
    assert "Not a directory" in seen.reason
