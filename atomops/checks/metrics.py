"""What the application's own numbers say. No data is UNKNOWN, never fine."""

from atomops.facts.metrics import MetricsFacts
from atomops.facts.outcome import Outcome
from atomops.humane import plural, span
from atomops.registry import check
from atomops.verdict import Evidence, Gap, NotSeen, Reading, Unseen, known

SECTION = "Metrics"
_GUIDE = "operations guide"
_SHOWN = 20  # rows of evidence
_HOUR = 3600
_SLOW = 2.0  # seconds: what lies above all buckets is only judged when the buckets reach as far as the critical limit


@check("METRICS-REACHABLE", section=SECTION, critical=1, unit="failures", source=_GUIDE)
def metrics_answer(outcome: Outcome[MetricsFacts]) -> Reading:
    """Prometheus, or the application's metrics page, answers at all."""
    return outcome.reachable(outcome.facts.source if outcome.facts else "the metrics")


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
    share = _ratio(seen, "error_ratio")
    if isinstance(share, Gap):
        return share
    return Reading(
        share,
        f"{100 * share:.2f} % of requests failed in the last {span(seen.window)}",
        action="look at LOG-ERRORS, by code; after a release in the last hour: kubectl rollout undo deployment/atom",
    )


@check("HTTP-LATENCY-P95", section=SECTION, warning=1, critical=2, unit="s", source=_GUIDE, trend="http.latency_p95")
def latency_p95(seen: MetricsFacts) -> Reading | Gap:
    """Nineteen of twenty requests were faster than this; what the histogram cannot tell is not called fast."""
    seconds = _ratio(seen, "latency_p95")
    if isinstance(seconds, Gap):
        return seconds
    beyond = seconds == seen.values.get("latency_max")
    if beyond and seconds < _SLOW:
        reason = f"P95 latency lies above {span(seconds)}, the largest bucket of the histogram"
        raise NotSeen(Unseen(reason, f"give the histogram buckets up to {span(_SLOW)} at least"))
    return Reading(
        seconds,
        f"P95 latency is {'at least ' if beyond else ''}{span(seconds)} over the last {span(seen.window)}",
        action="look at PG-STATEMENTS-SLOW, PG-LOCK-WAIT and REDIS-LATENCY",
    )


@check("HTTP-REQUEST-RATE", section=SECTION, unit="requests/s", source=_GUIDE, trend="http.request_rate")
def request_rate(seen: MetricsFacts) -> Reading | Gap:
    """Requests per second, to be followed over time."""
    rate = _value(seen, "request_rate")
    if isinstance(rate, Gap):
        return rate
    return Reading(rate, f"{rate:.2f} requests per second over the last {span(seen.window)}")


@check("HTTP-REQUEST-RATE-CHANGE", section=SECTION, warning=3, critical=10, unit="times", source="Atom Ops default")
def request_rate_change(seen: MetricsFacts) -> Reading | Gap:
    """Traffic against the same hour a week ago, both ways: a third of it is as odd as three times as much.

    One request is added to either hour, so that silence is a large factor and no division by nothing.
    """
    if seen.prometheus is None:
        return Gap(SECTION, "request rate against last week: only Prometheus knows the same hour a week ago")
    now, before = _value(seen, "hourly_rate"), seen.values.get("hourly_rate_last_week")
    if isinstance(now, Gap):
        return now
    if before is None or isinstance(before, Unseen):
        return Gap(SECTION, "request rate against last week: nothing is known of the same hour a week ago")
    fewer, more = sorted((before * _HOUR, now * _HOUR))
    told = f"{now:.2f} requests per second in the last hour, {before:.2f} in the same hour a week ago"
    if more < seen.minimum_requests:
        return Gap(SECTION, f"request rate against last week: {told}; too few to compare")
    fall, rise = "are users kept out (ingress, DNS, login)?", "a campaign, a crawler, or clients that retry?"
    return Reading((more + 1) / (fewer + 1), told, action=fall if now < before else rise)


@check(
    "CACHE-HIT-RATIO", section=SECTION, warning=0.9, worse="lower", unit="ratio", source=_GUIDE, trend="cache.hit_ratio"
)
def cache_hit_ratio(seen: MetricsFacts) -> Reading | Gap:
    """The governance cache answers nine of ten look-ups.

    Applications count its hits to 1 or to 100: what is above 1 is taken as a percentage. A profile whose metric counts
    to 100 does better to say `scale = 0.01`, since 1 % and less cannot be told from a share.
    """
    value = _value(seen, "cache_hit_ratio")
    if isinstance(value, Gap):
        return value
    if not 0 <= value <= 100:  # noqa: PLR2004 - per cent
        raise NotSeen(
            Unseen(f"the cache hit ratio is said to be {value:g}", "mend the metric's `scale` in the profile")
        )
    share = value / 100 if value > 1 else value
    action = "was it cleared, or is it too small?"
    return Reading(share, f"the governance cache answers {100 * share:.1f} % of look-ups", action=action)


@check("APP-WORKERS-ACTIVE", section=SECTION, unit="workers", source=_GUIDE, trend="app.active_workers")
def active_workers(seen: MetricsFacts) -> Reading | Gap:
    """Workers that are at work, to be followed over time."""
    workers = _value(seen, "active_workers")
    return workers if isinstance(workers, Gap) else Reading(workers, f"{workers:,.0f} workers are at work")


@check("APP-QUEUE-DEPTH", section=SECTION, unit="jobs", source=_GUIDE, trend="app.queue_depth")
def queue_depth(seen: MetricsFacts) -> Reading | Gap:
    """Jobs that wait, to be followed over time; what is many is for the inventory's limits to say."""
    jobs = _value(seen, "queue_depth")
    return jobs if isinstance(jobs, Gap) else Reading(jobs, f"{jobs:,.0f} jobs wait")


@check("METRICS-TARGET-DOWN", section=SECTION, critical=1, unit="targets", source="operators of Atom")
def targets_down(seen: MetricsFacts) -> Reading | Gap:
    """Prometheus can scrape the application; without that every other number is old or missing."""
    if seen.prometheus is None:
        return _only_with_prometheus("scrape targets")
    targets = known(seen.prometheus.targets)
    down = [target for target in targets if not target.up]
    return Reading(
        len(down),
        f"{len(down)} of {plural(len(targets), 'scrape target')} of the application down",
        action="look at Status > Targets in Prometheus: it shows the error of each",
        evidence=Evidence.of(("job", "instance"), ((target.job, target.instance) for target in down[:_SHOWN])),
    )


@check("METRICS-JOBS-MIXED", section=SECTION, warning=2, unit="jobs", source="Atom Ops default")
def jobs_mixed(seen: MetricsFacts) -> Reading | Gap:
    """The numbers are one application's: another job that exports a metric of the same name would be added to them."""
    if seen.prometheus is None:
        return _only_with_prometheus("jobs in the numbers")
    if seen.prometheus.selector:
        return Gap(SECTION, f"jobs in the numbers: chosen by prometheus.selector, {seen.prometheus.selector}")
    jobs = sorted({target.job for target in known(seen.prometheus.targets)})
    return Reading(
        len(jobs),
        f"the numbers are those of {plural(len(jobs), 'job')}: {', '.join(jobs[:_SHOWN])}",
        action='set prometheus.selector to the application\'s own, such as job="atom"',
    )


@check("METRICS-WARNINGS", section=SECTION, warning=1, unit="warnings", source="Prometheus")
def warnings(seen: MetricsFacts) -> Reading | Gap:
    """Prometheus attaches warnings to answers that may be incomplete; what it notes for information does not count."""
    state = seen.prometheus
    if state is None:
        return _only_with_prometheus("warnings")
    rows = [("warning", text) for text in state.warnings] + [("information", text) for text in state.infos]
    return Reading(
        len(state.warnings),
        f"{plural(len(state.warnings), 'warning')} by Prometheus on its own answers",
        action="read them: the numbers may be incomplete",
        evidence=Evidence.of(("kind", "remark"), rows[:_SHOWN]),
    )


@check("METRICS-CLOCK-SKEW", section=SECTION, warning=60, critical=300, unit="s", source="NTP practice")
def clock(seen: MetricsFacts) -> Reading | Gap:
    """A Prometheus whose clock is off looks at the wrong window."""
    if seen.prometheus is None:
        return _only_with_prometheus("clock")
    offset = known(seen.prometheus.clock_offset)
    direction = "ahead of" if offset > 0 else "behind"
    told = f"Prometheus's clock is {span(abs(offset))} {direction} ours"
    return Reading(abs(offset), told, action="chronyc tracking, on both")


def _only_with_prometheus(what: str) -> Gap:
    return Gap(SECTION, f"{what}: there is no Prometheus that would know")


def _ratio(seen: MetricsFacts, name: str) -> float | Gap:
    """A value that says something only about many requests; that there were few is known, and said."""
    known(seen.profile)
    value, requests = seen.values.get(name), seen.values.get("requests")
    if value is not None and requests is not None and known(requests) < seen.minimum_requests:
        told = (
            f"{known(requests):.0f} requests in {span(seen.window)}; fewer than {seen.minimum_requests:.0f} say nothing"
        )
        return Gap(SECTION, f"{name.replace('_', ' ')}: {told}")
    return _value(seen, name)


def _value(seen: MetricsFacts, name: str) -> float | Gap:
    """A gap where the profile describes no such metric; what could not be seen ends the check as UNKNOWN."""
    profile = known(seen.profile)
    if name not in seen.values:
        return Gap(SECTION, f"{name.replace('_', ' ')}: the profile {profile} has no metric for it")
    return known(seen.values[name])
