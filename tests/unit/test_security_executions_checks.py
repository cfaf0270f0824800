import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomops.facts.executions import Addresses, ExecutionFacts, Executions, Hour, Usual
from atomops.facts.outcome import Outcome
from atomops.plans.usual import judge, quantile
from atomops.registry import checks
from atomops.verdict import Finding, Gap, Unseen

AT = dt.datetime(2026, 11, 25, 7, 0, tzinfo=dt.UTC)
USUAL = Usual(baseline_days=14, baseline_hours=72, fixed=100, times=1.5, at_least=30)
FORTNIGHT = 14 * 24
QUIET = ExecutionFacts(AT, "guide", 7, USUAL, by_pair=(), total=0, pairs=0, hours=(), addresses=())


def hour(executions: int, *before: int, oldest: int = FORTNIGHT, user: str | None = "ada") -> Hour:
    return Hour(user, "inbox", executions, before, oldest)


def judged(seen: ExecutionFacts, code: str) -> Finding | Gap:
    (check,) = [each for each in checks() if each.code == code]
    return check.judge(Outcome("executions", 0.1, facts=seen), None)


def found(seen: ExecutionFacts, code: str) -> Finding:
    finding = judged(seen, code)
    assert isinstance(finding, Finding)
    return finding


@pytest.mark.parametrize(
    ("seen", "is_unusual", "limit"),
    [
        (hour(510, *[500] * FORTNIGHT), False, 750),  # a scheduler, and the guide's rule would call it suspicious
        (hour(800, *[500] * FORTNIGHT), True, 750),  # its jump
        (hour(90, *[2] * FORTNIGHT), True, 30),  # a jump that the guide's 100 would not see
        (hour(99, oldest=3), False, 100),  # a newcomer
        (hour(100, oldest=0), True, 100),
        (hour(400, *[400] * 14), False, 600),  # a batch, an hour each day
        (hour(29, *[1] * FORTNIGHT), False, 30),
        (hour(300, *[200, 240] * (FORTNIGHT // 2)), False, 397.912),
    ],
)
def test_an_hour_is_held_against_the_pairs_own_hours(seen: Hour, is_unusual: bool, limit: float) -> None:  # noqa: FBT001 - a table
    told = judge(seen, USUAL)
    assert told.is_unusual == is_unusual
    assert told.limit == pytest.approx(limit, rel=1e-3)


@given(st.lists(st.integers(1, 10_000), max_size=FORTNIGHT), st.integers(1, 10_000), st.integers(0, FORTNIGHT))
def test_more_executions_are_never_less_unusual(before: list[int], executions: int, oldest: int) -> None:
    past = tuple(before[:oldest])
    if judge(hour(executions, *past, oldest=oldest), USUAL).is_unusual:
        assert judge(hour(executions + 1, *past, oldest=oldest), USUAL).is_unusual


@given(st.integers(1, 1_000_000), st.integers(72, FORTNIGHT))
def test_what_is_steady_is_usual_however_much_it_is(executions: int, oldest: int) -> None:
    assert not judge(hour(executions, *[executions] * oldest, oldest=oldest), USUAL).is_unusual


def test_the_quantile_is_a_value_that_was_there() -> None:
    assert [quantile([1, 2, 3, 4], share) for share in (0, 0.5, 0.99, 1)] == [1, 2, 4, 4]


def test_unusual_pairs_are_told_with_their_limits_and_the_reason_of_these() -> None:
    hours = (hour(800, *[500] * FORTNIGHT), hour(150, oldest=2, user=None), hour(40, *[40] * FORTNIGHT))
    finding = found(replace(QUIET, hours=hours), "SEC-EXECUTIONS-UNUSUAL")
    assert (finding.level, finding.observed) == ("WARNING", 2)
    assert "ada with inbox, 800 executions in the last hour, unusual from 750 on" in finding.summary
    assert finding.evidence is not None
    assert [row[0] for row in finding.evidence.rows] == ["ada", "(nobody)"]
    assert finding.evidence.rows[1][4] == "2 h of history are too few (of 72): the fixed limit"


def test_an_audit_without_anything_unusual_says_for_whom_it_knows_too_little() -> None:
    calm = replace(QUIET, hours=(hour(40, oldest=2), hour(40, *[40] * FORTNIGHT)))
    summary = found(calm, "SEC-EXECUTIONS-UNUSUAL").summary
    assert summary.endswith("none unusual; 1 with too little history, held against 100 an hour")
    assert found(QUIET, "SEC-EXECUTIONS-UNUSUAL").summary.endswith("none unusual")


def test_executions_are_counted_by_user_and_agent() -> None:
    rows = (Executions(None, "inbox", 1200, AT), Executions("ada", "inbox", 3, AT))
    finding = found(replace(QUIET, by_pair=rows, total=1203, pairs=2), "SEC-EXECUTIONS")
    assert finding.summary == (
        "1,203 executions in 7 days, by 2 pairs of user and agent; the busiest (nobody) with inbox, 1,200 times"
    )
    assert found(QUIET, "SEC-EXECUTIONS").summary == "no executions in 7 days, by no pairs of user and agent"


def test_many_addresses_of_one_user_are_a_finding_and_new_ones_are_named() -> None:
    users = (Addresses("bob", 1, ("10.0.0.1",), ()), Addresses("ada", 7, ("10.0.0.2",), ("10.0.0.2",)))
    finding = found(replace(QUIET, addresses=users), "SEC-EXECUTIONS-ADDRESSES")
    assert (finding.level, finding.observed) == ("WARNING", 7)
    assert (
        "ada ran agents from 7 addresses in the last hour, the most of 2 users; 1 address not seen" in finding.summary
    )
    assert found(QUIET, "SEC-EXECUTIONS-ADDRESSES").observed == 0
    assert isinstance(judged(replace(QUIET, addresses=None), "SEC-EXECUTIONS-ADDRESSES"), Gap)


def test_a_table_that_is_missing_leaves_that_unknown() -> None:
    lost = replace(QUIET, hours=Unseen("there is no table"), profile=Unseen("no profile"), addresses=None)
    assert found(lost, "SEC-EXECUTIONS-UNUSUAL").level == "UNKNOWN"
    assert found(lost, "SEC-EXECUTIONS-ADDRESSES").level == "UNKNOWN"
    assert found(lost, "SEC-EXECUTIONS").level == "OK"
