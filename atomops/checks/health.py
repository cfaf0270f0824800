"""Is the application there, and does it say that it is well?"""

from atomops.facts.health import Endpoint, HealthFacts
from atomops.facts.outcome import Outcome
from atomops.humane import span
from atomops.registry import check
from atomops.verdict import Evidence, Reading, known

SECTION = "Health"


@check("HTTP-REACHABLE", section=SECTION, critical=1, unit="failures", source="operations guide")
def application_answers(outcome: Outcome[HealthFacts]) -> Reading:
    """Somebody answers at the application's address at all."""
    return outcome.reachable("the application")


@check("HTTP-LIVE", section=SECTION, critical=1, unit="failures", source="operations guide")
def live(seen: HealthFacts) -> Reading:
    """The process runs, and answers its liveness question with 200 and JSON."""
    return _answered(seen.live, "alive")


@check("HTTP-READY", section=SECTION, critical=1, unit="failures", source="operations guide")
def ready(seen: HealthFacts) -> Reading:
    """The application can take traffic; the body of a 503 says why not."""
    return _answered(seen.ready, "ready")


@check("HTTP-COMPONENTS", section=SECTION, critical=1, unit="components", source="operations guide")
def components(seen: HealthFacts) -> Reading:
    """Every component of the readiness answer is healthy, in the guide's shape or the application's."""
    every = known(seen.components)
    ill = [component for component in every if not component.healthy]
    names = "; not healthy: " + ", ".join(component.name for component in ill) if ill else ""
    return Reading(
        len(ill),
        f"{len(every) - len(ill)} of {len(every)} components are healthy{names}",
        action=f"look at {ill[0].name}: {ill[0].message}" if ill else "",
        evidence=Evidence.of(
            ("component", "healthy", "message"), ((each.name, each.healthy, each.message) for each in every)
        ),
    )


@check("HTTP-LIVE-LATENCY", section=SECTION, unit="s", source="application (10 ms)", trend="health.live_latency")
def live_latency(seen: HealthFacts) -> Reading:
    """How long liveness takes, connection included; the application's own target is 10 ms."""
    return _latency(seen.live)


@check("HTTP-READY-LATENCY", section=SECTION, unit="s", source="application (100 ms)", trend="health.ready_latency")
def ready_latency(seen: HealthFacts) -> Reading:
    """How long readiness takes, connection included; the application's own target is 100 ms."""
    return _latency(seen.ready)


@check("HTTP-CLOCK-SKEW", section=SECTION, warning=60, critical=300, unit="s", source="NTP practice")
def clock(seen: HealthFacts) -> Reading:
    """An application whose clock is off issues tokens and log lines from another time."""
    offset = known(seen.clock_offset)
    direction = "ahead of" if offset > 0 else "behind"
    told = f"{span(abs(offset))} {direction} ours" if offset else "the same as ours, to the second"
    return Reading(abs(offset), f"the application's clock is {told}", action="chronyc tracking, on both")


def _answered(endpoint: Endpoint, state: str) -> Reading:
    if endpoint.problem:
        return Reading(1, f"{endpoint.path}: {endpoint.problem}", action=endpoint.action)
    return Reading(0, f"{state}: {endpoint.path} answered {endpoint.status} in {span(endpoint.latency)}")


def _latency(endpoint: Endpoint) -> Reading:
    if endpoint.status is None:
        return Reading(None, f"{endpoint.path}: {endpoint.problem}", action=endpoint.action)
    return Reading(endpoint.latency, f"{endpoint.path} took {span(endpoint.latency)}")
