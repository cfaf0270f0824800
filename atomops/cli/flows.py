"""The flows by their names, found by entry point: the core does not import them."""

import importlib
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from atomops.errors import NotThere

if TYPE_CHECKING:
    from prefect.flows import Flow

    from atomops.probes.parts import Part

GROUP = "atomops.flows"
OF_MANY = frozenset({"fleet-checklist"})  # their parameter is `targets`


def names() -> list[str]:
    """Every flow's name, which is its deployment's name too."""
    return sorted(entry_points(group=GROUP).names)


def known(name: str) -> EntryPoint:
    """The entry point of that name, not loaded yet. Raises NotThere with a suggestion."""
    found: EntryPoint | None = next(iter(entry_points(group=GROUP, name=name)), None)
    if found is None:
        close = get_close_matches(name, names(), n=1)
        action = f"did you mean {close[0]!r}?" if close else f"the flows are {', '.join(names())}"
        raise NotThere(f"there is no flow {name!r}", action=action)
    return found


def parts(name: str) -> tuple["Part", ...]:
    """What that flow looks at, in the order of its report: its module's PARTS; none for a flow that has no such."""
    return tuple(getattr(importlib.import_module(known(name).module), "PARTS", ()))


def load_flow(name: str) -> "Flow[..., Any]":
    """The flow of that name. Raises NotThere with a suggestion."""
    loaded: Flow[..., Any] = known(name).load()
    return loaded
