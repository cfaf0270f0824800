"""What the application's own numbers say. No data is UNKNOWN, never fine."""

from atomops.facts.metrics import MetricsFacts
from atomops.facts.outcome import Outcome
from atomops.humane import plural, span
from atomops.registry import check
from atomops.verdict import Evidence, Gap, NotSeen, Reading, Unseen, known

SECTION = "Metrics"
_GUIDE = "operations guide"


@check("METRICS-REACHABLE", section=SECTION, critical=1, unit="failures", source=_GUIDE)
def metrics_answer(outcome: Outcome[MetricsFacts]) -> Reading:
    """Prometheus, or the application's metrics page, answers at all."""
    name = outcome.facts.source if outcome.facts else "the metrics"
    return outcome.reachable(name)


@check(
    "HTTP-ERROR-RATIO",
    section=SECTION,
    warning=0.01,
    critical=0.05,
    unit="ratio",
    source=_GUIDE,
    trend="http.error_ratio",
)
def error_ratio(seen: MetricsFacts) -> Reading | Gap:
    """The share of requests that ended in an error, which the guide's rate of errors is not."""
    if few := _too_few(seen, "error ratio"):
        return few
    share = _value(seen, "error_ratio")
    return Reading(
        share,
        f"{100 * share:.2f} % of requests failed in the last {span(seen.window)}",
        action="look at LOG-ERRORS, by code; after a release in the last hour: kubectl rollout undo deployment/atom",
    )


@check("HTTP-LATENCY-P95", section=SECTION, warning=1, critical=2, unit="s", source=_GUIDE, trend="http.latency_p95")
def latency_p95(seen: MetricsFacts) -> Reading | Gap:
    """Nineteen of twenty requests were faster than this."""
    if few := _too_few(seen, "P95 latency"):
        return few
    seconds = _value(seen, "latency_p95")
    return Reading(
        seconds,
        f"P95 latency is {span(seconds)} over the last {span(seen.window)}",
        action="look at PG-STATEMENTS-SLOW, PG-LOCK-WAIT and REDIS-LATENCY",
    )


@check("HTTP-REQUEST-RATE", section=SECTION, unit="requests/s", source=_GUIDE, trend="http.request_rate")
def request_rate(seen: MetricsFacts) -> Reading:
    """Requests per second, to be followed over time."""
    rate = _value(seen, "request_rate")
    return Reading(rate, f"{rate:.2f} requests per second over the last {span(seen.window)}")


@check("HTTP-REQUEST-RATE-CHANGE", section=SECTION, warning=3, critical=10, unit="times", source="Atom Ops default")
def request_rate_change(seen: MetricsFacts) -> Reading | Gap:
    """Traffic against the same hour a week ago, both ways: a third of it is as odd as three times as much."""
    earlier = seen.values.get("request_rate_last_week")
    if earlier is None or isinstance(earlier, Unseen):
        return Gap(SECTION, "request rate against last week: nothing is known of the same hour a week ago")
    now = _value(seen, "request_rate")
    told = f"{now:.2f} requests per second; a week ago {earlier:.2f}"
    if not now or not earlier:
        factor = 1.0 if now == earlier else 10.0
        return Reading(factor, told, action="is the application reachable for its users?")
    return Reading(max(now / earlier, earlier / now), told, action="a campaign, a holiday, or users who cannot get in?")


@check(
    "CACHE-HIT-RATIO", section=SECTION, warning=0.9, worse="lower", unit="ratio", source=_GUIDE, trend="cache.hit_ratio"
)
def cache_hit_ratio(seen: MetricsFacts) -> Reading | Gap:
    """The governance cache answers nine of ten look-ups; a metric that counts to 100 is taken as a percentage."""
    if _is_absent(seen, "cache_hit_ratio"):
        return Gap(SECTION, "cache hit ratio: the profile has no such metric")
    value = _value(seen, "cache_hit_ratio")
    share = value / 100 if value > 1 else value
    return Reading(
        share,
        f"the governance cache answers {100 * share:.1f} % of look-ups",
        action="was it cleared, or is it too small?",
    )


@check("APP-WORKERS-ACTIVE", section=SECTION, unit="workers", source=_GUIDE, trend="app.active_workers")
def active_workers(seen: MetricsFacts) -> Reading | Gap:
    """Workers that are at work, to be followed over time."""
    return _informs(seen, "active_workers", "active workers")


@check("APP-QUEUE-DEPTH", section=SECTION, unit="jobs", source=_GUIDE, trend="app.queue_depth")
def queue_depth(seen: MetricsFacts) -> Reading | Gap:
    """Jobs that wait, to be followed over time; what is many is for the inventory's limits to say."""
    return _informs(seen, "queue_depth", "jobs wait")


@check("METRICS-TARGET-DOWN", section=SECTION, critical=1, unit="targets", source="operators of Atom")
def targets_down(seen: MetricsFacts) -> Reading | Gap:
    """Prometheus can scrape what it is told to; without that every other number is old."""
    if isinstance(seen.targets, Unseen) and seen.source.startswith("two scrapes"):
        return Gap(SECTION, f"scrape targets: {seen.targets.reason}")
    total = known(seen.targets)
    return Reading(
        len(seen.targets_down),
        f"{len(seen.targets_down)} of {plural(total, 'scrape target')} down",
        action="look at Status > Targets in Prometheus",
        evidence=Evidence.of(("target",), ((target,) for target in seen.targets_down)),
    )


@check("METRICS-WARNINGS", section=SECTION, warning=1, unit="warnings", source="Prometheus")
def remarks(seen: MetricsFacts) -> Reading:
    """Prometheus attaches warnings to answers that may be incomplete."""
    return Reading(
        len(seen.warnings),
        f"{plural(len(seen.warnings), 'remark')} by Prometheus on its own answers",
        action="read them: the numbers may be incomplete",
        evidence=Evidence.of(("remark",), ((remark,) for remark in seen.warnings)),
    )


@check("METRICS-CLOCK-SKEW", section=SECTION, warning=60, critical=300, unit="s", source="NTP practice")
def clock(seen: MetricsFacts) -> Reading | Gap:
    """A Prometheus whose clock is off looks at the wrong window."""
    if isinstance(seen.clock_offset, Unseen) and seen.source.startswith("two scrapes"):
        return Gap(SECTION, f"clock of the metrics: {seen.clock_offset.reason}")
    offset = known(seen.clock_offset)
    direction = "ahead of" if offset > 0 else "behind"
    return Reading(
        abs(offset), f"Prometheus's clock is {span(abs(offset))} {direction} ours", action="chronyc tracking, on both"
    )


def _too_few(seen: MetricsFacts, what: str) -> Gap | None:
    """A ratio of three requests says nothing; that there were only three is known, and said."""
    requests = _value(seen, "requests")
    if requests >= seen.minimum_requests:
        return None
    told = f"{requests:.0f} requests in {span(seen.window)}; below {seen.minimum_requests:.0f} it would say nothing"
    return Gap(SECTION, f"{what}: {told}")


def _informs(seen: MetricsFacts, name: str, says: str) -> Reading | Gap:
    if _is_absent(seen, name):
        return Gap(SECTION, f"{name.replace('_', ' ')}: the profile has no such metric")
    value = _value(seen, name)
    return Reading(value, f"{value:,.0f} {says}")


def _is_absent(seen: MetricsFacts, name: str) -> bool:
    known(seen.profile)
    return name not in seen.values


def _value(seen: MetricsFacts, name: str) -> float:
    known(seen.profile)
    if name not in seen.values:
        raise NotSeen(Unseen(f"the profile {seen.profile} has no metric for {name}", "add it to its profile.toml"))
    return known(seen.values[name])
