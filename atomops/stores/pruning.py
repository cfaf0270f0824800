"""Carry a retention plan out on its store."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from atomops.errors import AtomOpsError, NotThere
from atomops.plans.retention import RetentionPlan
from atomops.stores.store import Store


@dataclass(frozen=True)
class Pruned:
    """What became of every set that was to go, by id. `gone` ones had gone already: somebody else was faster.

    `retained` and `failed` say why a set is still there: the store holds it (object lock), or something went wrong.
    """

    removed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    retained: Mapping[str, str] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)


def carry_out(plan: RetentionPlan, store: Store) -> Pruned:
    """Every deletion of the plan is tried, the oldest first; one that fails does not stop the rest. Never raises."""
    removed: list[str] = []
    gone: list[str] = []
    retained: dict[str, str] = {}
    failed: dict[str, str] = {}
    for set_id in (each.id for each in reversed(plan.deletions)):
        try:
            removal = store.remove(set_id)
        except NotThere:
            gone.append(set_id)
        except (AtomOpsError, OSError) as error:
            failed[set_id] = str(error)
        else:
            if removal.retained:
                retained[set_id] = removal.retained
            else:
                removed.append(set_id)
    return Pruned(tuple(removed), tuple(gone), retained, failed)
