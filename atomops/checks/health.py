"""Is the application there, and does it say that it is well?"""

from atomops.facts.health import Component, Endpoint, HealthFacts
from atomops.facts.outcome import Outcome
from atomops.humane import plural, span
from atomops.registry import check
from atomops.verdict import Evidence, NotSeen, Reading, Unseen, known

SECTION = "Health"
_GUIDE = "operations guide"
_SHOWN = 20  # components
_LIVE_TARGET = 0.010  # seconds, from the application's own monitoring document
_READY_TARGET = 0.100


@check("HTTP-REACHABLE", section=SECTION, critical=1, unit="failures", source=_GUIDE)
def application_answers(outcome: Outcome[HealthFacts]) -> Reading:
    """Somebody answers at the application's address at all; HTTP-LIVE says whether it is the application."""
    version = outcome.facts.version if outcome.facts else ""
    return outcome.reachable(f"the application, version {version}," if version else "the application")


@check("HTTP-LIVE", section=SECTION, critical=1, unit="failures", source=_GUIDE)
def live(seen: HealthFacts) -> Reading:
    """The process runs, and answers its liveness question with 200 and JSON."""
    return _answered(seen.live, "alive")


@check("HTTP-READY", section=SECTION, critical=1, unit="failures", source=_GUIDE)
def ready(seen: HealthFacts) -> Reading:
    """The application can take traffic; the body of a 503 says why not."""
    return _answered(seen.ready, "ready")


@check("HTTP-COMPONENTS", section=SECTION, critical=1, unit="components", source=_GUIDE)
def components(seen: HealthFacts) -> Reading:
    """Every component of the readiness answer is healthy, in the guide's shape or the application's."""
    every = sorted(known(seen.components), key=lambda component: component.healthy)
    ill = [component for component in every if not component.healthy]
    names = ", ".join(component.name for component in ill[:_SHOWN])
    return Reading(
        len(ill),
        f"not healthy: {names} ({len(ill)} of {plural(len(every), 'component')})"
        if ill
        else f"all of {plural(len(every), 'component')} healthy: {', '.join(each.name for each in every[:_SHOWN])}",
        action=f"look at {ill[0].name}: {ill[0].message or 'it says no more'}" if ill else "",
        evidence=Evidence.of(("component", "healthy", "message", "latency"), map(_row, every[:_SHOWN])),
    )


@check("HTTP-LIVE-LATENCY", section=SECTION, unit="s", source="the application's target", trend="health.live_latency")
def live_latency(seen: HealthFacts) -> Reading:
    """How long liveness takes, connection included; information, beside the application's own target of 10 ms."""
    return _latency(seen.live, _LIVE_TARGET)


@check("HTTP-READY-LATENCY", section=SECTION, unit="s", source="the application's target", trend="health.ready_latency")
def ready_latency(seen: HealthFacts) -> Reading:
    """How long readiness takes, connection included; information, beside the application's own target of 100 ms."""
    return _latency(seen.ready, _READY_TARGET)


@check("HTTP-CLOCK-SKEW", section=SECTION, warning=60, critical=300, unit="s", source="NTP practice")
def clock(seen: HealthFacts) -> Reading:
    """An application whose clock is off issues tokens and log lines from another time."""
    offset = known(seen.clock_offset)
    direction = "ahead of" if offset > 0 else "behind"
    told = f"{span(abs(offset))} {direction} ours" if offset else "the same as ours, to the second"
    return Reading(abs(offset), f"the application's clock is {told}", action="chronyc tracking, on both machines")


def _answered(endpoint: Endpoint, state: str) -> Reading:
    if endpoint.problem:
        return Reading(1, f"not {state}: {endpoint.path}: {endpoint.problem}", action=endpoint.action)
    return Reading(0, f"{state}: {endpoint.path} answered {endpoint.status} in {span(endpoint.latency or 0)}")


def _latency(endpoint: Endpoint, target: float) -> Reading:
    if endpoint.latency is None:
        raise NotSeen(Unseen(f"{endpoint.path}: {endpoint.problem}", endpoint.action))
    side = "within" if endpoint.latency <= target else "above"
    return Reading(
        endpoint.latency,
        f"{endpoint.path} took {span(endpoint.latency)}, {side} the application's own target of {span(target)}",
        action="look at REDIS-LATENCY, PG-LOCK-WAIT and the load of the machine" if side == "above" else "",
    )


def _row(component: Component) -> tuple[object, ...]:
    latency = None if component.latency is None else span(component.latency)
    return component.name, "yes" if component.healthy else "no", component.message, latency
