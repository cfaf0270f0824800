"""What may go, what stays and why: by example, and as laws."""

import datetime as dt
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomops.facts.backup import BackupSet, Listing, Result, Unreadable
from atomops.inventory import Keep
from atomops.plans.retention import RetentionPlan, plan_retention, stale_after
from tests.backup_sets import NIGHT, backup_set, proof

NOW = NIGHT + dt.timedelta(minutes=20)
MANY = 10_000


def planned(sets: list[BackupSet], keep: Keep, *, every_hours: float = 24, **clock: float) -> RetentionPlan:
    listing = Listing("a store", tuple(sets), (Unreadable("strange", "its manifest is damaged"),))
    store_now = NOW + dt.timedelta(**clock)
    return plan_retention(listing, keep, now=NOW, store_now=store_now, every_hours=every_hours)


def ids(sets: list[BackupSet] | tuple[BackupSet, ...]) -> set[str]:
    return {each.id for each in sets}


def reasons(plan: RetentionPlan, chosen: BackupSet) -> tuple[str, ...]:
    return next(each.reasons for each in plan.stays if each.backup_set == chosen)


def nights(first: int, last: int, *, proven: bool = True, database: str = "atom") -> list[BackupSet]:
    return [backup_set(days, proven=proven, database=database) for days in range(first, last)]


def test_of_31_days_and_more_exactly_those_older_than_30_days_go() -> None:
    plan = planned(nights(0, 38), Keep(keep_days=30, keep_last=7))

    assert ids(plan.deletions) == ids(nights(30, 38))
    assert plan.refusals == ()
    assert [each.backup_set for each in plan.stays] == nights(0, 30)
    assert reasons(plan, backup_set(12)) == ("younger than 30 days (keep_days)",)


def test_with_the_last_31_days_all_failed_none_goes() -> None:
    failed = [BackupSet(each.manifest, proof(Result.FAILED, reason="a flipped bit")) for each in nights(0, 31)]

    plan = planned(failed + nights(31, 60), Keep(max_deletions=MANY))

    assert plan.due
    assert plan.deletions == ()
    assert [each.reason for each in plan.refusals] == [
        "the newest proven set of atom is 1 month old, more than 2 days and 6 hours"
    ]
    assert reasons(plan, backup_set(59)) == ("no rule wants it, but nothing goes while pruning is refused",)


def test_without_any_proven_set_none_goes_however_old() -> None:
    plan = planned(nights(0, 60, proven=False), Keep(keep_days=30, max_deletions=MANY))

    assert plan.deletions == ()
    assert [each.reason for each in plan.refusals] == [
        "no set of atom has ever been proven",
        "no proven sets of atom would remain, fewer than keep_last = 7",
    ]


def test_the_newest_proven_sets_stay_whatever_their_age() -> None:
    every_tenth_day = [backup_set(days) for days in (0, 10, 40, 50, 60, 70)]

    plan = planned(every_tenth_day, Keep(keep_days=30, keep_last=4))

    assert ids(plan.deletions) == ids([backup_set(60), backup_set(70)])
    assert reasons(plan, backup_set(50)) == ("among the newest 4 proven sets (keep_last)",)


def test_unproven_sets_stay_within_keep_days_and_go_after_them() -> None:
    sets = [*nights(0, 7), backup_set(20, proven=False), backup_set(40, proven=False)]

    plan = planned(sets, Keep())

    assert ids(plan.deletions) == {backup_set(40, proven=False).id}


def test_fewer_proven_sets_than_are_to_be_kept_keep_everything() -> None:
    plan = planned([*nights(0, 6), backup_set(40, proven=False)], Keep(keep_last=7))

    assert plan.deletions == ()
    assert [each.reason for each in plan.refusals] == ["6 proven sets of atom would remain, fewer than keep_last = 7"]
    assert "keep_last" in plan.refusals[0].action


def test_nothing_due_is_nothing_to_refuse() -> None:
    assert planned(nights(0, 3, proven=False), Keep()).refusals == ()


def test_weeks_months_and_years_keep_the_newest_proven_set_of_each() -> None:
    sets = [*nights(0, 800)]
    sets[7] = backup_set(7, proven=False)

    plan = planned(sets, Keep(keep_days=0, keep_last=1, keep_weeks=3, keep_months=3, keep_years=2, max_deletions=MANY))

    # 2026-11-24 is a Tuesday; the Sundays before are two and nine days ago.
    assert {f"{each.backup_set.at:%Y-%m-%d}" for each in plan.stays} == {
        "2026-11-24", "2026-11-22", "2026-11-15", "2026-10-31", "2026-09-30", "2025-12-31",
    }  # fmt: skip
    assert reasons(plan, backup_set(0)) == (
        "among the newest 1 proven set (keep_last)",
        "the newest proven one of week 2026-W48 (keep_weeks)",
        "the newest proven one of November 2026 (keep_months)",
        "the newest proven one of 2026 (keep_years)",
    )


def test_a_week_belongs_to_its_iso_year_and_is_counted_in_utc() -> None:
    new_year = dt.datetime(2027, 1, 1, 0, 30, tzinfo=dt.timezone(dt.timedelta(hours=1)))
    chosen = replace(backup_set(), manifest=replace(backup_set().manifest, at=new_year))
    later = new_year + dt.timedelta(hours=2)

    plan = plan_retention(
        Listing("a store", (chosen,)), Keep(keep_weeks=1, keep_years=1), now=later, store_now=later, every_hours=24
    )

    assert plan.stays[0].reasons[2:] == (
        "the newest proven one of week 2026-W53 (keep_weeks)",
        "the newest proven one of 2026 (keep_years)",
    )


def test_a_week_without_a_set_takes_no_other_weeks_place() -> None:
    plan = planned([backup_set(days) for days in (0, 100, 200)], Keep(keep_days=1, keep_last=1, keep_weeks=2))

    assert ids(plan.deletions) == {backup_set(200).id}


def test_the_sets_of_one_database_never_count_for_another() -> None:
    broken = [*nights(0, 31, proven=False, database="broken"), *nights(31, 45, database="broken")]

    plan = planned(nights(0, 35) + broken, Keep())

    assert ids(plan.deletions) == ids(nights(30, 35))
    assert [each.database for each in plan.refusals] == ["broken"]


@pytest.mark.parametrize(("hours", "deleted"), [(0, 10), (54, 12), (54.1, 0)])
def test_two_missed_runs_are_borne_and_the_third_stops_the_pruning(hours: float, deleted: int) -> None:
    sets = [backup_set(hours / 24 + days, now=NOW) for days in range(40)]

    plan = planned(sets, Keep(max_deletions=MANY))

    assert len(plan.deletions) == deleted
    assert bool(plan.refusals) is not bool(deleted)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_clocks_that_disagree_stop_everything(minutes: float) -> None:
    plan = planned(nights(0, 35), Keep(), minutes=minutes)

    assert plan.deletions == ()
    assert plan.refusals[0].reason == "our clock and the store's differ by 6 minutes: no age can be trusted"
    assert planned(nights(0, 35), Keep(), minutes=minutes * 5 / 6).refusals == ()


def test_a_clock_that_nobody_looked_at_stops_nothing() -> None:
    listing = Listing("a store", tuple(nights(0, 35)))
    assert plan_retention(listing, Keep(), now=NOW, store_now=None, every_hours=24).refusals == ()


def test_too_many_at_once_is_refused_with_the_way_out() -> None:
    plan = planned(nights(0, 41), Keep(max_deletions=10))

    assert plan.deletions == ()
    assert plan.refusals[0].reason == "11 sets would go at once, more than max_deletions = 10"
    assert "prune --max-deletions 11" in plan.refusals[0].action
    assert len(planned(nights(0, 40), Keep(max_deletions=10)).deletions) == 10


def test_several_refusals_are_all_told() -> None:
    plan = planned([*nights(3, 5), *nights(40, 60, proven=False)], Keep(max_deletions=3), hours=1)

    assert len(plan.refusals) == 3
    assert [word in each.reason for word, each in zip(("clock", "old", "remain"), plan.refusals, strict=True)] == [
        True
    ] * 3


def test_a_set_from_the_future_stays_and_stands_for_no_other() -> None:
    ahead = [backup_set(-400), backup_set(-1)]

    plan = planned([*ahead, *nights(40, 60)], Keep(keep_days=0, keep_last=1, keep_years=1, max_deletions=MANY))

    assert plan.deletions == ()
    assert "old" in plan.refusals[0].reason
    assert reasons(plan, ahead[1]) == ("dated 23 hours and 40 minutes in the future: one of the clocks was wrong",)


SETS = st.lists(
    st.builds(
        lambda hours, result, database: replace(
            backup_set(hours / 24, database=database), proof=proof(result) if result else None
        ),
        hours=st.integers(-48, 24 * 900) | st.integers(0, 24 * 40),
        result=st.sampled_from([*Result, Result.RESTORED, Result.RESTORED, None]),
        database=st.sampled_from(["atom", "other"]),
    ),
    max_size=60,
    unique_by=lambda each: each.id,
)
RULES = {"keep_days": 40, "keep_last": 9, "keep_weeks": 6, "keep_months": 6, "keep_years": 3}
KEEPS = st.builds(
    Keep,
    keep_last=st.integers(1, RULES["keep_last"]),
    max_deletions=st.sampled_from([1, 5, MANY]),
    **{name: st.integers(0, most) for name, most in RULES.items() if name != "keep_last"},
)
HOURS = st.sampled_from([1.0, 24.0, 24 * 30.0, 24 * 1000.0])


@given(SETS, KEEPS, HOURS)
def test_law_the_newest_proven_sets_of_every_database_are_never_deleted(
    sets: list[BackupSet], keep: Keep, hours: float
) -> None:
    gone = ids(planned(sets, keep, every_hours=hours).deletions)

    for database in ("atom", "other"):
        proven = sorted(
            (each for each in sets if each.is_proven and each.database == database), key=lambda each: each.at
        )
        assert not gone & ids(proven[-keep.keep_last :])


@given(SETS, KEEPS, HOURS, st.randoms(use_true_random=False))
def test_law_a_plan_is_a_function_of_its_inputs_in_any_order(
    sets: list[BackupSet], keep: Keep, hours: float, chance: random.Random
) -> None:
    shuffled = chance.sample(sets, len(sets))

    assert planned(shuffled, keep, every_hours=hours) == planned(sets, keep, every_hours=hours)


@given(SETS, KEEPS, st.sampled_from(sorted(RULES)), st.integers(1, 30))
def test_law_a_rule_that_wants_more_never_lets_more_go(sets: list[BackupSet], keep: Keep, rule: str, more: int) -> None:
    raised = keep.model_copy(update={rule: getattr(keep, rule) + more})

    assert ids(planned(sets, raised).due) <= ids(planned(sets, keep).due)
    assert ids(planned(sets, raised).deletions) <= ids(planned(sets, keep).due)


@settings(max_examples=200)
@given(SETS, KEEPS, HOURS, st.sampled_from([0, 0, 400]))
def test_laws_of_every_plan(sets: list[BackupSet], keep: Keep, hours: float, seconds: float) -> None:
    plan = planned(sets, keep, every_hours=hours, seconds=seconds)
    gone, stays = ids(plan.deletions), ids(tuple(each.backup_set for each in plan.stays))

    assert gone | stays == ids(sets)
    assert not gone & stays
    assert gone <= ids(plan.due)
    assert len(gone) <= keep.max_deletions
    assert all(each.reasons for each in plan.stays)
    assert all(each.reason and each.action for each in plan.refusals)
    assert not any(refusal.database in {"", each.database} for refusal in plan.refusals for each in plan.deletions)
    assert all(NOW - each.at >= dt.timedelta(days=keep.keep_days) for each in plan.deletions)
    assert bool(plan.due) or not [each for each in plan.refusals if each.database]


def test_the_age_that_stops_pruning_follows_the_schedule() -> None:
    assert stale_after(24) == dt.timedelta(hours=54)
    assert stale_after(1) == dt.timedelta(hours=8)
