import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomops.checks.fleet import news
from atomops.errors import NotThere
from atomops.facts.fleet import FleetFacts, TargetLook, worst_first
from atomops.plans.fleet import choose
from atomops.probes.parts import FLEET
from atomops.reports.build import build_report
from atomops.reports.fleet import fleet_rows, of_fleet, sentence
from atomops.reports.report import Run
from atomops.verdict import Level
from tests.targets import findings

KNOWN = ("berlin-1", "berlin-2", "oslo")
NOW = dt.datetime(2026, 11, 25, 9, tzinfo=dt.UTC)
WELL = TargetLook("oslo", Level.OK, "A", "All is well in 62 checks", 1.0)
WARNED = replace(WELL, target="berlin-2", level=Level.WARNING, grade="B", summary="1 warning", new=("A", "B", "C", "D"))
DOWN = replace(WELL, target="berlin-1", level=Level.CRITICAL, grade="D", summary="PostgreSQL refuses the password")
GONE = TargetLook("paris", Level.UNKNOWN, "", "the environment variable X is not set", 0.1, action="export X")


def facts(*looks: TargetLook) -> FleetFacts:
    return FleetFacts(NOW, "morning", worst_first(list(looks)))


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        (["*"], KNOWN),
        (["berlin-*"], ("berlin-1", "berlin-2")),
        (["oslo,berlin-1"], ("berlin-1", "oslo")),
        (["oslo", "osl?", " oslo , "], ("oslo",)),
        (["berlin-[2-9]"], ("berlin-2",)),
    ],
)
def test_targets_are_chosen_by_name_pattern_and_list(wanted: list[str], chosen: tuple[str, ...]) -> None:
    assert choose(wanted, KNOWN) == chosen


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (["oslo,berlin_1"], r"no target 'berlin_1': did you mean 'berlin-1'\?"),
        (["zz"], "no target 'zz': they are berlin-1, berlin-2, oslo"),
        (["paris-*"], r"no target 'paris-\*'"),
        ([" , "], "no target is named"),
    ],
)
def test_what_fits_no_target_is_refused_with_a_suggestion(wanted: list[str], words: str) -> None:
    with pytest.raises(NotThere, match=words):
        choose(wanted, KNOWN)


@given(st.lists(st.sampled_from(list(Level)), min_size=1, max_size=8))
def test_the_fleet_is_as_bad_as_its_worst_target(levels: list[Level]) -> None:
    looks = [replace(WELL, target=f"t{number}", level=level) for number, level in enumerate(levels)]
    found = findings(FLEET, facts(*looks))
    worst = max(levels, key=lambda level: level.rank)
    assert max((each.level for each in found.values()), key=lambda level: level.rank) is worst
    assert facts(*looks).looks[0].level is worst


def test_every_bad_target_is_a_row_with_its_reason() -> None:
    found = findings(FLEET, facts(WELL, WARNED, GONE, DOWN))
    assert found["FLEET-CRITICAL"].summary == "1 target critical: berlin-1"
    assert found["FLEET-CRITICAL"].action == "read the report of berlin-1"
    assert (found["FLEET-UNKNOWN"].level, found["FLEET-UNKNOWN"].action) == (Level.UNKNOWN, "export X")
    assert found["FLEET-UNKNOWN"].evidence is not None
    assert found["FLEET-UNKNOWN"].evidence.rows == (("paris", "-", "the environment variable X is not set", ""),)
    assert found["FLEET-WARNING"].evidence is not None
    assert found["FLEET-WARNING"].evidence.rows[0][3] == "A, B, C and 1 more"
    assert found["FLEET-WELL"].summary == "1 of 4 targets are well"
    assert found["FLEET-NEW"].observed == 1
    assert (GONE.has_report, WELL.has_report, news(WELL)) == (False, True, "")
    two = findings(FLEET, facts(WARNED, replace(WARNED, target="rome")))
    assert two["FLEET-WARNING"].summary == "2 targets with warnings: berlin-2, and 1 more"


def test_a_fleet_that_is_well_is_well() -> None:
    found = findings(FLEET, facts(WELL))
    assert {each.level for each in found.values()} == {Level.OK}
    assert sentence(facts(WELL)) == "All is well in 1 target"


def test_the_report_speaks_of_targets_and_not_of_its_few_findings() -> None:
    seen = facts(WELL, WARNED, GONE, DOWN)
    bare: dict[str, Any] = {"acknowledgements": {}, "trends": {}, "previous": None, "gaps": [], "sections": ("Fleet",)}
    report = build_report(
        flow="fleet-checklist",
        target="morning",
        findings=findings(FLEET, seen).values(),
        started_at=NOW,
        finished_at=NOW,
        run=Run("", "here"),
        **bare,
    )
    told = of_fleet(report, seen)
    assert told.summary == (
        "4 targets: 1 critical, 1 unknown, 1 with warnings, 1 well; berlin-1: PostgreSQL refuses the password"
    )
    assert (told.level, told.grade, told.key) == (Level.CRITICAL, "D", "fleet-checklist-morning")


def test_the_table_has_a_row_a_target_the_worst_first() -> None:
    rows = fleet_rows(facts(WELL, WARNED, GONE, DOWN))
    assert [row["target"] for row in rows] == ["berlin-1", "paris", "berlin-2", "oslo"]
    assert rows[1] == {
        "target": "paris",
        "level": "UNKNOWN",
        "grade": "-",
        "summary": "the environment variable X is not set",
        "new": "",
        "seconds": "0.1",
    }
