"""Retention plans carried out on a real folder."""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from atomops.errors import PermanentError, Unreachable
from atomops.facts.backup import MANIFEST, BackupSet
from atomops.inventory import Keep
from atomops.plans.retention import RetentionPlan, plan_retention
from atomops.stores.local import LocalStore
from atomops.stores.pruning import Pruned, carry_out
from atomops.stores.store import Removal
from tests.backup_sets import NIGHT, backup_set, prepared

KEEP = Keep(keep_days=5, keep_last=2)
OLD = [backup_set(days) for days in (7, 6, 5)]


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path / "backups", "production")
    for days in range(8):
        publish(store, backup_set(days))
    return store


def publish(store: LocalStore, made: BackupSet) -> None:
    store.publish(prepared(store.staging(made.id)), made.manifest)
    if made.proof:
        store.add_proof(made.id, made.proof)


def planned(store: LocalStore) -> RetentionPlan:
    return plan_retention(store.listing(), KEEP, now=NIGHT, store_now=NIGHT, every_hours=24)


def ids(store: LocalStore) -> list[str]:
    return [each.id for each in store.listing().sets]


def test_what_is_planned_goes_the_oldest_first_and_nothing_else(store: LocalStore) -> None:
    assert carry_out(planned(store), store) == Pruned(removed=tuple(each.id for each in OLD))

    assert ids(store) == [backup_set(days).id for days in range(5)]
    assert planned(store).due == ()


def test_a_refused_plan_removes_nothing(store: LocalStore) -> None:
    late = plan_retention(store.listing(), KEEP, now=NIGHT, store_now=NIGHT + dt.timedelta(hours=1), every_hours=24)

    assert carry_out(late, store) == Pruned()
    assert len(ids(store)) == 8


class _Difficult(LocalStore):
    """A real folder, but for the sets that it treats as another store would."""

    def __init__(self, store: LocalStore, difficulties: dict[str, Callable[[], Removal]]) -> None:
        super().__init__(Path(store.name), store.home.name)
        self.difficulties = difficulties

    def remove(self, set_id: str) -> Removal:
        return self.difficulties.get(set_id, lambda: super(_Difficult, self).remove(set_id))()


def test_one_failure_does_not_stop_the_rest_and_what_is_retained_is_no_failure(store: LocalStore) -> None:
    def unreachable() -> Removal:
        raise Unreachable("the store hangs up", action="try again")

    locked, failing, fine = (each.id for each in OLD)
    difficult = _Difficult(
        store, {locked: lambda: Removal(locked, retained="object lock until 2027-01-01"), failing: unreachable}
    )

    assert carry_out(planned(store), difficult) == Pruned(
        removed=(fine,),
        retained={locked: "object lock until 2027-01-01"},
        failed={failing: "the store hangs up: try again"},
    )


def test_a_set_that_has_gone_meanwhile_is_fine(store: LocalStore) -> None:
    plan = planned(store)
    store.remove(OLD[1].id)

    assert carry_out(plan, store) == Pruned(removed=(OLD[0].id, OLD[2].id), gone=(OLD[1].id,))


def test_foreign_things_and_sets_of_another_version_are_never_touched(store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "backups" / "backup_20200101_020000.sql.gz").write_bytes(b"old")
    (store.home / "notes.txt").write_text("mine")
    (store.home / "somebody-elses").mkdir()
    future = store.folder(OLD[0].id) / MANIFEST
    future.write_text(json.dumps(json.loads(future.read_text()) | {"schema": 2}))
    foreign = store.folder(OLD[1].id) / MANIFEST
    foreign.write_text(json.dumps(json.loads(foreign.read_text()) | {"made_by": "somebody"}))

    assert {each.name for each in store.listing().unreadable} == {"somebody-elses", OLD[0].id, OLD[1].id}
    assert carry_out(planned(store), store) == Pruned(removed=(OLD[2].id,))

    assert {path.name for path in store.home.iterdir()} >= {"notes.txt", "somebody-elses", OLD[0].id, OLD[1].id}
    assert (tmp_path / "backups" / "backup_20200101_020000.sql.gz").read_bytes() == b"old"


def test_a_store_that_refuses_is_a_reason_and_no_traceback(store: LocalStore) -> None:
    def full() -> Removal:
        raise PermanentError("the store is read-only")

    refusing = _Difficult(store, {each.id: full for each in OLD})

    assert list(carry_out(planned(store), refusing).failed) == [each.id for each in OLD]
