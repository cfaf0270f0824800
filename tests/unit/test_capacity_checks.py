import datetime as dt
from dataclasses import replace
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from atomops.commands import node_metrics
from atomops.facts.capacity import CapacityFacts, FileSystem, Load, Memory, Sample, WatchedPath
from atomops.facts.outcome import Outcome
from atomops.inventory import Host
from atomops.probes.capacity.node_exporter import holding
from atomops.registry import checks, judge_all
from atomops.verdict import Finding, Gap, Level, Unseen

MINE = [check for check in checks() if check.facts is CapacityFacts]
NOW = dt.datetime(2026, 11, 24, 17, tzinfo=dt.UTC)
HOST = "ops-1, where this flow runs"
ROOT = FileSystem("/", "fd00", 1000, 300, 600, 1000, 900)
DATA = FileSystem("/var/lib/postgresql", "fd01", 5000, 2000, 2500, 0, 0)
WEEK = tuple(NOW - dt.timedelta(days=day) for day in range(7, 0, -1))
GONE = Unseen("/nowhere does not exist on ops-1", "correct host.paths")
LOST = Unseen("Prometheus does not answer", "is it running?")
GOOD = CapacityFacts(
    at=NOW,
    host=HOST,
    source="the operating system",
    paths=(WatchedPath("/var/log/atom", "/"), WatchedPath("/var/lib/postgresql", "/var/lib/postgresql")),
    file_systems=(ROOT, DATA),
    past={mount: tuple(Sample(at, 100) for at in WEEK) for mount in ("/", "/var/lib/postgresql")},
    memory=Memory(64 * 2**30, 32 * 2**30),
    load=Load(2, 4),
)


def judged(facts: CapacityFacts | None, unseen: Unseen | None = None) -> tuple[dict[str, Finding], list[Gap]]:
    found, gaps = judge_all(MINE, {CapacityFacts: Outcome("capacity", 0.1, facts=facts, unseen=unseen)}, {}, {})
    return {finding.code: finding for finding in found}, gaps


def finding(facts: CapacityFacts, code: str) -> Finding:
    return judged(facts)[0][code]


def filled(used: float, available: float) -> CapacityFacts:
    return replace(GOOD, file_systems=(replace(ROOT, used=used, available=available), DATA))


def grown(a_day: float, available: float = 600) -> CapacityFacts:
    """`/` grew by that much a day for a week; the other disk did not."""
    past = {"/": tuple(Sample(at, 300 - a_day * (7 - day)) for day, at in enumerate(WEEK)), DATA.mount: ()}
    return replace(GOOD, file_systems=(replace(ROOT, available=available), DATA), past=past)


def test_a_host_with_room_is_ok_throughout_and_named_in_every_sentence() -> None:
    found, gaps = judged(replace(GOOD, past={"/": tuple(Sample(at, 300) for at in WEEK), DATA.mount: ()}))
    assert {each.level for each in found.values()} == {Level.OK}
    assert len(found) == len(MINE)
    assert all(HOST in each.summary for each in found.values())
    assert gaps == []


def test_facts_survive_json() -> None:
    adapter = TypeAdapter(CapacityFacts)
    lost = replace(GOOD, paths=(WatchedPath("/nowhere", GONE),), past=LOST, memory=LOST, load=LOST)
    for facts in (GOOD, lost):
        assert adapter.validate_json(adapter.dump_json(facts)) == facts


def test_every_check_says_where_its_threshold_comes_from() -> None:
    assert all(check.source and check.guarantee for check in MINE)


def test_a_failed_probe_leaves_nothing_ok() -> None:
    found, _ = judged(None, LOST)
    assert {each.level for each in found.values()} == {Level.UNKNOWN}
    assert len(found) == len(MINE)


@pytest.mark.parametrize(
    ("used", "expected"),
    [(0, Level.OK), (849, Level.OK), (850, Level.WARNING), (949, Level.WARNING), (950, Level.CRITICAL)],
)
def test_the_fullest_disk_is_judged_at_85_and_95_per_cent(used: int, expected: Level) -> None:
    disk = finding(filled(used, 1000 - used), "DISK-USED")
    assert disk.level is expected
    place = "/ (with /var/log/atom)" if used > 400 else "/var/lib/postgresql is 44 %"
    assert disk.summary.startswith(place)


def test_what_root_keeps_back_is_neither_used_nor_free_as_df_counts() -> None:
    assert finding(filled(300, 100), "DISK-USED").observed == 0.75
    assert finding(filled(300, 0), "DISK-USED").level is Level.CRITICAL


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_a_fuller_disk_never_scores_better(one: int, other: int) -> None:
    better, worse = (finding(filled(used, 1000 - used), "DISK-USED") for used in sorted((one, other)))
    assert worse.level.rank >= better.level.rank
    assert (worse.observed or 0) >= (better.observed or 0)


@pytest.mark.parametrize(("free", "expected"), [(151, Level.OK), (150, Level.WARNING), (50, Level.CRITICAL)])
def test_inodes_run_out_like_bytes(free: int, expected: Level) -> None:
    facts = replace(GOOD, file_systems=(replace(ROOT, inodes_free=free), DATA))
    assert finding(facts, "DISK-INODES").level is expected


def test_without_a_number_of_inodes_there_is_nothing_to_judge() -> None:
    _, gaps = judged(replace(GOOD, file_systems=(DATA,)))
    assert [gap.reason for gap in gaps if "inodes" in gap.reason] == [
        f"inodes: no watched file system of {HOST} has a fixed number of them"
    ]


def test_the_command_that_is_proposed_can_be_pasted() -> None:
    facts = replace(GOOD, file_systems=(replace(ROOT, mount="/mnt/old disk; reboot"),))
    assert "--max-depth=2 '/mnt/old disk; reboot' |" in finding(facts, "DISK-USED").action


@pytest.mark.parametrize(
    ("a_day", "words", "expected"),
    [
        (0, "/ (with /var/log/atom) does not fill up", Level.OK),
        (-5, "does not fill up", Level.OK),
        (20, "is full in 30 days", Level.OK),
        (20.1, "is full in 30 days", Level.WARNING),
        (40, "is full in 15 days", Level.WARNING),
        (100, "is full in 6 days", Level.CRITICAL),
        (1200, "is full in 12 hours", Level.CRITICAL),
    ],
)
def test_the_days_until_a_disk_is_full_follow_its_trend(a_day: float, words: str, expected: Level) -> None:
    trend = finding(grown(a_day), "DISK-DAYS-TO-FULL")
    assert words in trend.summary
    assert trend.level is expected


def test_a_disk_that_is_full_now_and_grows_has_no_day_left() -> None:
    assert finding(grown(1, available=0), "DISK-DAYS-TO-FULL").observed == 0


def test_disks_with_too_short_a_past_are_counted_beside_the_others() -> None:
    assert finding(grown(40), "DISK-DAYS-TO-FULL").summary.endswith("; 1 file system with too short a past for one")


@pytest.mark.parametrize(("hours", "told"), [([], "1 sample"), ([5, 3], "3 samples over 5 hours")])
def test_too_short_a_past_is_a_gap_that_says_how_much_there_is(hours: list[int], told: str) -> None:
    short = tuple(Sample(NOW - dt.timedelta(hours=hour), 100) for hour in hours)
    found, gaps = judged(replace(GOOD, past={"/": short}))
    assert "DISK-DAYS-TO-FULL" not in found
    assert [gap.reason for gap in gaps] == [
        f"days until a disk is full: {told} so far, and a trend takes 3 over 1 day at least"
    ]


def test_a_past_that_could_not_be_had_is_unknown_and_not_short() -> None:
    trend = finding(replace(GOOD, past=LOST), "DISK-DAYS-TO-FULL")
    assert (trend.level, trend.summary) == (Level.UNKNOWN, LOST.reason)
    assert finding(replace(GOOD, past=LOST), "DISK-USED").level is Level.OK


def test_a_path_that_does_not_exist_is_unknown_by_its_name_and_spoils_no_other() -> None:
    found, _ = judged(replace(GOOD, paths=(*GOOD.paths, WatchedPath("/nowhere", GONE))))
    assert found["DISK-PATHS"].level is Level.UNKNOWN
    assert found["DISK-PATHS"].summary == "1 of 3 paths unknown: /nowhere does not exist on ops-1"
    assert found["DISK-PATHS"].action == "correct host.paths"
    assert found["DISK-USED"].level is Level.OK


def test_where_no_path_can_be_looked_at_no_disk_is_ok() -> None:
    found, _ = judged(replace(GOOD, paths=(WatchedPath("/nowhere", GONE),), file_systems=(), past={}))
    disks = {code: each for code, each in found.items() if code.startswith("DISK-")}
    assert len(disks) == 4
    assert {each.level for each in disks.values()} == {Level.UNKNOWN}
    assert found["HOST-LOAD"].level is Level.OK


@pytest.mark.parametrize(
    ("available", "expected"), [(10, Level.OK), (9.9, Level.WARNING), (5, Level.WARNING), (4.9, Level.CRITICAL)]
)
def test_memory_is_judged_by_what_is_available(available: float, expected: Level) -> None:
    assert finding(replace(GOOD, memory=Memory(100, available)), "HOST-MEMORY-AVAILABLE").level is expected


@pytest.mark.parametrize(("average", "expected"), [(3.9, Level.OK), (4, Level.OK), (7.9, Level.OK), (8, Level.WARNING)])
def test_load_is_judged_by_the_number_of_processors(average: float, expected: Level) -> None:
    assert finding(replace(GOOD, load=Load(average, 4)), "HOST-LOAD").level is expected


@pytest.mark.parametrize(("part", "code"), [("memory", "HOST-MEMORY-AVAILABLE"), ("load", "HOST-LOAD")])
def test_what_the_exporter_does_not_tell_is_unknown_for_just_its_check(part: str, code: str) -> None:
    found, _ = judged(replace(GOOD, **{part: LOST}))  # type: ignore[arg-type] # one of two parts
    assert {name for name, each in found.items() if each.level is Level.UNKNOWN} == {code}


@pytest.mark.parametrize(
    ("path", "mount"),
    [
        ("/var/lib/postgresql/17", "/var/lib/postgresql"),
        ("/var/lib/postgresql", "/var/lib/postgresql"),
        ("/var/lib/postgresql-old", "/"),
        ("/", "/"),
        ("relative", None),
    ],
)
def test_the_longest_mount_point_above_a_path_holds_it(path: str, mount: str | None) -> None:
    assert holding(PurePosixPath(path), {"/", "/var/lib/postgresql"}) == mount


def test_the_exporters_labels_and_mount_points_are_quoted_for_promql() -> None:
    host = Host.model_validate({"paths": ["/"], "instance": 'db"1\\:9100', "job": "node"})
    assert node_metrics.of(host) == 'instance="db\\"1\\\\:9100",job="node"'
    assert 'mountpoint=~"/|/mnt/a\\\\.b\\\\+c"' in node_metrics.used(host, ["/", "/mnt/a.b+c"])
    assert node_metrics.rest(host).count('instance="db\\"1\\\\:9100",job="node"') == 2
    assert "job" not in node_metrics.disks(Host.model_validate({"paths": ["/"], "instance": "db:9100"}))
