"""The flows by their names, found by entry point: the core does not import them."""

from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from prefect.flows import Flow

from atomops.errors import NotThere

GROUP = "atomops.flows"


def names() -> list[str]:
    """Every flow's name, which is its deployment's name too."""
    return sorted(entry_points(group=GROUP).names)


def load_flow(name: str) -> Flow[..., Any]:
    """The flow of that name. Raises NotThere with a suggestion."""
    found: EntryPoint | None = next(iter(entry_points(group=GROUP, name=name)), None)
    if found is None:
        close = get_close_matches(name, names(), n=1)
        action = f"did you mean {close[0]!r}?" if close else f"the flows are {', '.join(names())}"
        raise NotThere(f"there is no flow {name!r}", action=action)
    loaded: Flow[..., Any] = found.load()
    return loaded
