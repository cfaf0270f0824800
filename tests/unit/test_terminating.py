"""Which sessions may be ended, which are let alone, and what the checks make of it."""

from dataclasses import replace
from typing import Any

import pytest

from atomops.facts.outcome import Outcome
from atomops.facts.terminating import Fate, IdleSession, PreparedLeft, SessionOutcome, TerminationFacts
from atomops.plans.terminating import TerminationWish, choose, pools
from atomops.registry import checks, judge_all
from atomops.verdict import Finding, Gap, Level, Unseen
from tests.unit.vacuum_samples import AT


def session(pid: int = 1, **given: Any) -> IdleSession:  # noqa: ANN401 - as the fields are
    made = IdleSession(
        pid=pid,
        backend_start=AT,
        role="app",
        application="web",
        client="10.0.0.7",
        state="idle",
        state_change=AT,
        seconds=4000,
        transaction_seconds=None,
        query="SELECT 1",
        locks=0,
        relations="",
        blocks=(),
        is_superuser=False,
        is_monitor=False,
        is_ours=False,
        may_signal=True,
    )
    return replace(made, **given)


def outcome(fate: Fate = Fate.TERMINATED, of: IdleSession | None = None, **given: str) -> SessionOutcome:
    return SessionOutcome(of or session(), fate, "SELECT pg_terminate_backend(...)", **given)


def facts(*outcomes: SessionOutcome, **given: Any) -> TerminationFacts:  # noqa: ANN401 - as the fields are
    made = TerminationFacts(AT, False, "PostgreSQL here:5432/atom", "changer", "idle for 60 minutes or more", outcomes)  # noqa: FBT003 - as a row
    return replace(made, **given)


def judged(seen: TerminationFacts) -> tuple[dict[str, Finding], list[Gap]]:
    found, gaps = judge_all(checks(), {TerminationFacts: Outcome("sessions", 1, facts=seen)}, {}, {})
    return {each.code: each for each in found}, gaps


def test_transactions_come_first_those_who_block_before_all_and_no_more_than_so_many() -> None:
    long, short = session(1, seconds=9000), session(2, seconds=5000)
    holding = session(3, state="idle in transaction", seconds=400)
    blocking = session(4, state="idle in transaction (aborted)", seconds=300, blocks=(9,))
    chosen = choose(TerminationWish(most=3), [short, long, holding, blocking])
    assert [each.pid for each in chosen.sessions] == [4, 3, 1]
    assert chosen.more == 1


@pytest.mark.parametrize(
    ("given", "wish", "why"),
    [
        ({"is_ours": True}, {"superusers": True, "monitoring": True}, "our own (atomops)"),
        ({}, {"users": ("other",)}, "of other users"),
        ({}, {"applications": ("batch*",)}, "of other applications"),
        ({"is_superuser": True}, {}, "of superusers (superusers=true)"),
        ({"is_monitor": True}, {}, "of monitoring, which has pg_monitor (monitoring=true)"),
    ],
)
def test_who_is_let_alone_is_told_with_the_reason(given: dict[str, Any], wish: dict[str, Any], why: str) -> None:
    chosen = choose(TerminationWish(**wish), [session(**given)])
    assert (chosen.sessions, chosen.left_out) == ((), ((why, 1),))


def test_who_is_asked_for_is_chosen() -> None:
    wish = TerminationWish(users=("a*",), applications=("web",), superusers=True, monitoring=True)
    assert len(choose(wish, [session(), session(is_superuser=True), session(is_monitor=True)]).sessions) == 3


def test_a_wish_says_what_it_is() -> None:
    told = "idle in transaction for 5 minutes or more or idle for 1 hour or more"
    assert TerminationWish().sentence == told
    assert TerminationWish(None, None).sentence == "nothing"
    assert TerminationWish(60, None, users=("a", "b")).sentence == "idle in transaction for 1 minute or more of a, b"


def test_a_pool_is_three_idle_sessions_of_one_role_application_and_client() -> None:
    three = [session(number) for number in range(3)]
    assert pools(three) == (("app, web, 10.0.0.7", 3),)
    assert pools(three[:2]) == ()
    assert pools([replace(each, state="idle in transaction") for each in three]) == ()
    assert pools([replace(each, application="") for each in three]) == (("app, unnamed application, 10.0.0.7", 3),)


def test_a_good_run_is_ok_throughout_and_shows_what_each_held() -> None:
    held = session(7, transaction_seconds=600, locks=3, relations="tickets RowExclusiveLock", blocks=(8, 9))
    found, _ = judged(facts(outcome(of=replace(held, state="idle in transaction"))))
    assert {each.level for each in found.values()} == {Level.OK}
    assert found["SESSIONS-FOUND"].evidence is not None
    ((pid, *_, state, _since, locks, blocks, _query, fate),) = found["SESSIONS-FOUND"].evidence.rows
    assert (pid, state, locks, blocks) == ("7", "idle in transaction", "3: tickets RowExclusiveLock", "8, 9")
    assert fate == "terminated"
    assert found["SESSIONS-TERMINATED"].summary == "1 session terminated; 2 sessions had waited"


def test_a_run_that_could_not_begin_is_critical() -> None:
    busy: Outcome[TerminationFacts] = Outcome("sessions", 1, unseen=Unseen("production is being changed", "wait"))
    found, _ = judge_all(checks(), {TerminationFacts: busy}, {}, {})
    assert [each.code for each in found if each.level is Level.CRITICAL] == ["SESSIONS-RUN"]


def test_a_dry_run_lists_and_ends_nothing() -> None:
    found, gaps = judged(facts(outcome(Fate.PLANNED), outcome(Fate.FORBIDDEN, reason="no"), dry_run=True, more=2))
    who = "(idle for 60 minutes or more; PostgreSQL here:5432/atom, by changer)"
    assert found["SESSIONS-RUN"].summary == f"dry run: 1 session would be terminated, nothing was changed {who}"
    assert found["SESSIONS-FOUND"].summary == "4 sessions are idle for 60 minutes or more; 2 more than `most`"
    assert found["SESSIONS-TERMINATED"].summary == "dry run: no session was terminated"
    assert len(gaps) == 2


def test_with_nothing_to_do_it_says_so() -> None:
    found, _ = judged(facts())
    assert found["SESSIONS-FOUND"].summary == "no session is idle for 60 minutes or more"
    assert found["SESSIONS-TERMINATED"].summary == "no sessions terminated"
    assert {each.level for each in found.values()} == {Level.OK}


@pytest.mark.parametrize(
    ("fate", "code", "level"),
    [
        (Fate.STAYED, "SESSIONS-STAYED", Level.CRITICAL),
        (Fate.FORBIDDEN, "SESSIONS-FORBIDDEN", Level.WARNING),
        (Fate.SPARED, "SESSIONS-SPARED", Level.OK),
        (Fate.GONE, "SESSIONS-SPARED", Level.OK),
    ],
)
def test_every_fate_has_its_finding(fate: Fate, code: str, level: Level) -> None:
    found, _ = judged(facts(outcome(fate, reason="because"), outcome(fate, reason="because"), more=1))
    assert (found[code].level, found[code].observed) == (level, 2)
    assert found[code].summary == "pid 1 (app, web, 10.0.0.7): because, and 1 more"
    assert found["SESSIONS-FOUND"].action == "run it again for the rest"
    one, _ = judged(facts(outcome(fate, reason="because")))
    assert one[code].summary.endswith("because")


def test_what_is_let_alone_pooled_prepared_or_hidden_is_told() -> None:
    left = PreparedLeft("it's", "app", AT, 90)
    hidden = Unseen("the role changer does not see", "GRANT pg_read_all_stats")
    pool = [outcome(of=session(number)) for number in range(3)]
    found, _ = judged(facts(*pool, left_out=(("our own (atomops)", 2),), prepared=(left,), hidden=hidden))
    assert found["SESSIONS-LEFT-OUT"].summary == "2 sessions over the limit let alone: our own (atomops)"
    assert found["SESSIONS-POOLED"].level is Level.WARNING
    assert "COMMIT PREPARED 'it''s'" in found["SESSIONS-PREPARED"].action
    assert found["SESSIONS-HIDDEN"].level is Level.UNKNOWN
    unnamed, _ = judged(facts(outcome(Fate.STAYED, session(application=""), reason="x")))
    assert unnamed["SESSIONS-STAYED"].summary == "pid 1 (app, unnamed application, 10.0.0.7): x"
