"""The requests of a profiling, in order. Pure."""

from atomops.facts.restore import Step
from atomops.humane import span


def steps(request: str, action: str, seconds: float) -> tuple[Step, ...]:
    """What will be sent, and for how long it is held on."""
    off = Step("switch its profiling off", f'{request} {{"enabled": false}}')
    if action == "off":
        return (off,)
    on = Step("switch its profiling on", f'{request} {{"enabled": true}}')
    return (on, Step("hold it", f"for {span(seconds)}"), off)
