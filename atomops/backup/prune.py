"""Prune one store, by its rules and only when the night went well."""

import datetime as dt
from functools import partial

from atomops.backup.places import Place
from atomops.change.lock import Lock
from atomops.errors import AtomOpsError
from atomops.facts.nightly import DatabaseNight, Pruning
from atomops.plans.retention import RetentionPlan, plan_retention
from atomops.stores.pruning import Pruned, carry_out
from atomops.stores.store import Store
from atomops.threads import beside
from atomops.verdict import Unseen


def held_back(store: str, databases: tuple[DatabaseNight, ...]) -> str:
    """Why nothing may go from that store tonight, or "": what went wrong tonight may be all that is wrong."""
    for each in databases:
        stored = next((one for one in each.stored if one.store == store), None)
        if each.problem or stored is None:
            return f"{each.database} has no new set"
        if stored.problem:
            return f"the new set of {each.database} is not known to lie there whole"
        if not stored.is_proven:
            return f"the new set of {each.database} is not proven"
    return ""


async def plan_place(place: Place, every_hours: float, theirs: dt.datetime | None) -> RetentionPlan:
    """What would go, from what lies there now; `theirs` is the store's clock. Raises what the store raises."""
    listing, ours = await beside(place.store.listing), dt.datetime.now(dt.UTC)
    return plan_retention(listing, place.rules, now=ours, store_now=theirs, every_hours=every_hours)


async def prune(place: Place, every_hours: float, lock: Lock, *, why_not: str, dry_run: bool) -> Pruning:
    """What became of the store's old sets. A store that cannot be seen is told as that; never raises AtomOpsError."""
    store = place.store
    try:
        clock = await beside(store.now_by_reading if dry_run else store.now)
        plan = await plan_place(place, every_hours, clock)
        told = partial(_told, store, plan, is_clock_seen=clock is not None)
        if why_not or dry_run:
            return told(Pruned(), why_not if plan.due else "")
        await lock.check()
        return told(await beside(lambda: carry_out(plan, store)), "")
    except AtomOpsError as error:
        return Pruning(store.name, problem=Unseen(error.what, error.action))


def _told(store: Store, plan: RetentionPlan, pruned: Pruned, why_not: str, *, is_clock_seen: bool) -> Pruning:
    return Pruning(
        store=store.name,
        kept=len(plan.stays) + len(plan.deletions) - len(pruned.removed) - len(pruned.gone),
        due=tuple(each.id for each in plan.due),
        removed=pruned.removed,
        retained=pruned.retained,
        failed=pruned.failed,
        refusals=plan.refusals,
        held_back=why_not,
        is_clock_seen=is_clock_seen,
    )
