import pytest

from atomops.commands import postgres as commands
from atomops.commands.postgres import RestoreOptions

CONNINFO = "host=db user=atom dbname=atom"


def options(codec: str = "zstd:1", major: int = 17) -> commands.DumpOptions:
    return commands.DumpOptions(jobs=2, codec=codec, lock_wait=60, major=major)


def test_a_dump_is_of_the_snapshot_and_waits_for_locks_as_long_as_it_is_told() -> None:
    argv = commands.dump("/bin", CONNINFO, "/sets/data", "0001-1", options())
    assert argv[0] == "/bin/pg_dump"
    assert {"--format=directory", "--snapshot=0001-1", "--lock-wait-timeout=60000", "--jobs=2"} < set(argv)
    assert f"--dbname={CONNINFO}" in argv


def test_rows_are_never_filtered_by_row_level_security() -> None:
    assert "--enable-row-security" not in commands.dump("/bin", CONNINFO, "/sets/data", "0001-1", options())


@pytest.mark.parametrize(
    ("codec", "major", "said"),
    [
        ("zstd:1", 17, "zstd:1"),
        ("gzip:1", 16, "gzip:1"),
        ("gzip:1", 15, "1"),
        ("gzip", 15, "6"),
        ("none", 15, "0"),
    ],
)
def test_compression_is_named_as_the_client_understands_it(codec: str, major: int, said: str) -> None:
    assert f"--compress={said}" in commands.dump("/bin", CONNINFO, "/d", "s", options(codec, major))


def test_role_passwords_stay_out_of_a_dump_unless_they_are_wanted() -> None:
    without = commands.dump_globals("/bin", CONNINFO, "/r", database="atom", only="roles", passwords=False)
    wanted = commands.dump_globals("/bin", CONNINFO, "/r", database="atom", only="roles", passwords=True)
    assert "--no-role-passwords" in without
    assert "--no-role-passwords" not in wanted
    assert "--roles-only" in wanted


def test_a_restore_ends_at_its_first_error_and_reaches_out_of_nothing() -> None:
    argv = commands.restore("/bin", CONNINFO, "/sets/data", jobs=2)
    assert {"--exit-on-error", "--no-subscriptions", "--no-tablespaces", "--jobs=2"} < set(argv)
    assert argv[-1] == "/sets/data"


def test_every_index_is_checked_against_every_row() -> None:
    assert "--heapallindexed" in commands.check_indexes("/bin", CONNINFO, jobs=2)


def test_a_database_that_goes_live_has_its_publications_and_no_subscription() -> None:
    argv = commands.restore_live("/bin", CONNINFO, "/sets/data", RestoreOptions(4, listed="/entries"))
    assert {"--exit-on-error", "--no-subscriptions", "--use-list=/entries"} < set(argv)
    assert not {"--no-publications", "--no-tablespaces"} & set(argv)
    assert not [each for each in commands.restore_live("/bin", CONNINFO, "/d", RestoreOptions(1)) if "list" in each]


def test_a_restore_that_goes_on_does_not_end_at_its_first_error() -> None:
    argv = commands.restore_live("/bin", CONNINFO, "/d", RestoreOptions(1, goes_on=True, tablespaces=False))
    assert "--exit-on-error" not in argv
    assert "--no-tablespaces" in argv


UNKNOWN = (
    'pg_restore: error: could not execute query: ERROR:  unrecognized configuration parameter "transaction_timeout"'
)


@pytest.mark.parametrize(
    ("stderr", "forgiven"),
    [
        (f"{UNKNOWN}\nCommand was: SET transaction_timeout = 0;\npg_restore: warning: errors ignored: 1", True),
        (f"{UNKNOWN}\npg_restore: error: could not execute query: ERROR:  out of memory", False),
        ("", False),
    ],
)
def test_only_the_one_setting_that_an_older_server_does_not_know_is_forgiven(stderr: str, *, forgiven: bool) -> None:
    assert commands.said_nothing_worse(stderr) is forgiven


def test_chosen_tables_come_without_what_ties_them_to_others_and_all_or_none() -> None:
    assert {"--section=pre-data", "--section=data"} < set(commands.dump_schema("/bin", CONNINFO, "/f", schema="s"))
    assert "--single-transaction" in commands.restore_schema("/bin", CONNINFO, "/f")
    assert commands.contents("/bin", "/d") == ["/bin/pg_restore", "--list", "/d"]
    assert "--analyze-only" in commands.analyze("/bin", CONNINFO, jobs=2)
