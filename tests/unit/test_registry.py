from dataclasses import dataclass

import pytest

from atomops import registry
from atomops.facts.outcome import Outcome
from atomops.registry import Check, check, checks, judge_all
from atomops.verdict import Finding, Gap, Level, Limit, Reading, Unseen, known


@dataclass(frozen=True)
class TankFacts:
    litres: float | Unseen


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> dict[str, Check]:
    fresh: dict[str, Check] = {}
    monkeypatch.setattr(registry, "_CHECKS", fresh)
    return fresh


def answered(litres: float | Unseen) -> Outcome[TankFacts]:
    return Outcome("tank", 0.1, facts=TankFacts(litres))


FAILED: Outcome[TankFacts] = Outcome("tank", 5.0, unseen=Unseen("the tank does not answer", "look at the tank"))


def test_the_type_of_the_argument_says_which_facts_a_check_reads(registered: dict[str, Check]) -> None:
    @check(
        "TANK-LEVEL", section="Tank", warning=10, critical=5, worse="lower", unit="l", source="us", trend="tank.level"
    )
    def level(seen: TankFacts) -> Reading:
        """Too little is bad."""
        return Reading(known(seen.litres), f"{known(seen.litres)} l left", action="fill it")

    found = registered["TANK-LEVEL"]
    assert found.facts is TankFacts
    assert found.runbook == "docs/runbook/tank-level.md"
    assert found.guarantee == "Too little is bad."
    assert found.judge(answered(7), None) == Finding(
        code="TANK-LEVEL",
        section="Tank",
        level=Level.WARNING,
        summary="7 l left",
        observed=7,
        unit="l",
        warning=10,
        critical=5,
        source="us",
        action="fill it",
        runbook="docs/runbook/tank-level.md",
    )
    overridden = found.judge(answered(7), None, Limit(8, 7.5, "lower"))
    assert isinstance(overridden, Finding)
    assert overridden.level is Level.CRITICAL


def test_a_failed_probe_makes_its_checks_unknown_in_the_errors_own_words(registered: dict[str, Check]) -> None:
    @check("TANK-LEVEL", section="Tank", warning=1)
    def level(seen: TankFacts) -> Reading:
        raise AssertionError(seen)

    finding = registered["TANK-LEVEL"].judge(FAILED, None)
    assert isinstance(finding, Finding)
    assert (finding.level, finding.summary, finding.action) == (
        Level.UNKNOWN,
        "the tank does not answer",
        "look at the tank",
    )


def test_an_unseen_part_makes_only_its_own_check_unknown_even_without_a_limit(registered: dict[str, Check]) -> None:
    @check("TANK-LEVEL", section="Tank")
    def level(seen: TankFacts) -> Reading:
        return Reading(known(seen.litres), "never said")

    finding = registered["TANK-LEVEL"].judge(answered(Unseen("no gauge", "fit a gauge")), None)
    assert isinstance(finding, Finding)
    assert (finding.level, finding.summary, finding.action) == (Level.UNKNOWN, "no gauge", "fit a gauge")


def test_a_check_of_the_outcome_runs_when_the_probe_failed(registered: dict[str, Check]) -> None:
    @check("TANK-REACHABLE", section="Tank", critical=1)
    def reachable(outcome: Outcome[TankFacts]) -> Reading:
        return outcome.reachable("The tank")

    down = registered["TANK-REACHABLE"].judge(FAILED, None)
    up = registered["TANK-REACHABLE"].judge(answered(1), None)
    assert isinstance(down, Finding)
    assert isinstance(up, Finding)
    assert (down.level, up.level) == (Level.CRITICAL, Level.OK)
    assert down.action == "look at the tank"


def test_a_check_may_compare_with_the_facts_of_the_previous_look(registered: dict[str, Check]) -> None:
    @check("TANK-LOSS", section="Tank", warning=5)
    def loss(seen: TankFacts, before: TankFacts | None) -> Reading | Gap:
        if before is None:
            return Gap("Tank", "first look")
        return Reading(known(before.litres) - known(seen.litres), "leaking")

    first = registered["TANK-LOSS"].judge(answered(90), None)
    later = registered["TANK-LOSS"].judge(answered(90), TankFacts(100))
    assert first == Gap("Tank", "first look")
    assert isinstance(later, Finding)
    assert later.level is Level.WARNING


def test_a_faulty_check_is_unknown_and_says_so(registered: dict[str, Check]) -> None:
    @check("TANK-LEVEL", section="Tank")
    def level(seen: TankFacts) -> Reading:
        return Reading(1 / 0, str(seen))

    finding = registered["TANK-LEVEL"].judge(answered(1), None)
    assert isinstance(finding, Finding)
    assert finding.level is Level.UNKNOWN
    assert "ZeroDivisionError" in finding.summary


def test_a_code_names_one_check_only(registered: dict[str, Check]) -> None:
    def level(seen: TankFacts) -> Reading:
        return Reading(0, str(seen))

    check("TANK-LEVEL", section="Tank")(level)
    with pytest.raises(ValueError, match="TANK-LEVEL is defined twice"):
        check("TANK-LEVEL", section="Tank")(level)
    assert len(registered) == 1


def test_findings_and_gaps_are_told_apart_and_facts_nobody_asked_for_are_left_out(
    registered: dict[str, Check],
) -> None:
    @check("TANK-LEVEL", section="Tank")
    def level(seen: TankFacts) -> Reading:
        return Reading(known(seen.litres), "full")

    @check("TANK-AGE", section="Tank")
    def age(seen: TankFacts) -> Gap:
        return Gap("Tank", f"nobody knows {seen}")

    @check("WORD-LENGTH", section="Words")
    def length(seen: str) -> Reading:
        raise AssertionError(seen)

    findings, gaps = judge_all(registered.values(), {TankFacts: answered(3)}, {}, {})
    assert [finding.code for finding in findings] == ["TANK-LEVEL"]
    assert len(gaps) == 1


def test_every_check_of_the_package_has_a_guarantee_and_a_stable_code() -> None:
    for found in checks():
        assert found.guarantee, f"{found.code} has no docstring"
        assert found.code == found.code.upper()
        assert found.code.count("-") >= 1
