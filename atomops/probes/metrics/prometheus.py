"""Prometheus, asked by POST, with every way of not answering told apart."""

import asyncio
import datetime as dt
import math
import time
from collections.abc import Collection, Iterable, Mapping
from itertools import chain

from atomops.commands import promql
from atomops.errors import AtomOpsError
from atomops.facts.metrics import MetricsFacts, PrometheusState, ScrapeTarget
from atomops.inventory import Prometheus
from atomops.probes.prometheus.query import Result, query
from atomops.profiles.profile import Metric, Profile
from atomops.verdict import Unseen

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_CLOCK = "time()"
_SCRAPED = "scrape targets"
_LEAST_SECONDS = 0.5  # for the second round, when the first took nearly all

Attempt = Result | AtomOpsError


async def look(settings: Prometheus, profiles: tuple[Profile, ...]) -> MetricsFacts:
    """Everything within `settings.timeout` seconds, asked side by side in two rounds.

    Raises AccessDenied, BadAnswer, Unreachable, TimedOut or TemporaryError when Prometheus does not answer at all; a
    single query that fails is Unseen.
    """
    deadline = time.monotonic() + settings.timeout
    profile, offset = await _greet(settings, profiles)
    metrics = profile.metrics if isinstance(profile, Profile) else {}
    queries = promql.queries(metrics, settings.window, settings.selector)
    scraped = _scraped(profile, settings.selector)
    texts = {name: asked.text for name, asked in queries.items()} | ({_SCRAPED: scraped} if scraped else {})
    results = await _ask(settings, texts, max(deadline - time.monotonic(), _LEAST_SECONDS))
    _raise_when_all_failed(results.values())
    return MetricsFacts(
        at=dt.datetime.now(dt.UTC),
        source=f"Prometheus {settings.url}",
        window=float(settings.window[:-1]) * _UNITS[settings.window[-1]],
        minimum_requests=settings.minimum_requests,
        profile=profile.name if isinstance(profile, Profile) else profile,
        values={name: _value(results[name], asked) for name, asked in queries.items()},
        prometheus=PrometheusState(
            selector=settings.selector,
            targets=_targets(results.get(_SCRAPED), profile, scraped),
            warnings=_unique(result.warnings for result in results.values() if isinstance(result, Result)),
            infos=_unique(result.infos for result in results.values() if isinstance(result, Result)),
            clock_offset=offset,
        ),
    )


async def _greet(settings: Prometheus, profiles: tuple[Profile, ...]) -> tuple[Profile | Unseen, float | Unseen]:
    """Which profile is there, and how far the clock is off. Raises the error of whichever question failed."""
    counters = {profile.name: _requests(profile) for profile in profiles}
    presence = {name: promql.is_exported(metric, settings.selector) for name, metric in counters.items() if metric}
    before = time.time()
    attempts = await _ask(settings, {_CLOCK: _CLOCK, **presence}, settings.timeout)
    middle = (before + time.time()) / 2
    answers = {name: _answered(attempt) for name, attempt in attempts.items()}
    there = {name for name in presence if answers[name].series}
    return _recognise(profiles, there), _clock_offset(answers[_CLOCK], middle)


async def _ask(settings: Prometheus, texts: Mapping[str, str], seconds: float) -> dict[str, Attempt]:
    """Every answer or error by name, all asked at once."""
    answers = await asyncio.gather(*(_attempt(settings, text, seconds) for text in texts.values()))
    return dict(zip(texts, answers, strict=True))


async def _attempt(settings: Prometheus, text: str, seconds: float) -> Attempt:
    try:
        return await query(settings, text, seconds)
    except AtomOpsError as error:
        return error


def _answered(attempt: Attempt) -> Result:
    if isinstance(attempt, AtomOpsError):
        raise attempt
    return attempt


def _raise_when_all_failed(attempts: Collection[Attempt]) -> None:
    errors = [attempt for attempt in attempts if isinstance(attempt, AtomOpsError)]
    if errors and len(errors) == len(attempts):
        raise errors[0]


def _requests(profile: Profile | Unseen) -> Metric | None:
    return profile.metrics.get("requests") if isinstance(profile, Profile) else None


def _recognise(profiles: tuple[Profile, ...], there: set[str]) -> Profile | Unseen:
    """The first profile whose requests have series, lately at least; with a single candidate, that one."""
    found = [profile for profile in profiles if profile.name in there]
    if found or len(profiles) == 1:
        return (found or list(profiles))[0]
    names = ", ".join(metric.name for metric in map(_requests, profiles) if metric)
    action = "does Prometheus scrape the application? look at Status > Targets, set `profile` or prometheus.selector"
    return Unseen(f"Prometheus has none of the metrics of any profile: {names}", action)


def _scraped(profile: Profile | Unseen, selector: str) -> str:
    """The query for the application's scrape targets; "" when nothing says which they are."""
    requests = _requests(profile)
    if requests is not None:
        return promql.scrape_targets(requests, selector)
    return f"up{{{selector}}}" if promql.names_job(selector) else ""


def _unique(remarks: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(chain.from_iterable(remarks)))


def _clock_offset(clock: Result, ours: float) -> float | Unseen:
    """`ours` is our time in the middle of the question."""
    return clock.series[0][1] - ours if clock.series else Unseen("Prometheus does not tell its time")


def _value(attempt: Attempt, asked: promql.Query) -> float | Unseen:
    """The one value of an aggregated query; none, NaN and infinity are no values."""
    if isinstance(attempt, AtomOpsError):
        return Unseen(attempt.what, attempt.action)
    look_there = f"run it in Prometheus: {asked.text}"
    if not attempt.series:
        return Unseen(f"Prometheus has no data of {asked.metric} in the window", look_there)
    value = attempt.series[0][1]
    if math.isnan(value):
        return Unseen(f"{asked.metric} gives NaN: no traffic in the window, or the exporter itself says so", look_there)
    return value if math.isfinite(value) else Unseen(f"{asked.metric} gives an infinite value", look_there)


def _targets(attempt: Attempt | None, profile: Profile | Unseen, text: str) -> tuple[ScrapeTarget, ...] | Unseen:
    if attempt is None:
        return profile if isinstance(profile, Unseen) else Unseen(f"the profile {profile.name} counts no requests")
    if isinstance(attempt, AtomOpsError):
        return Unseen(attempt.what, attempt.action)
    if not attempt.series:
        action = f"look at Status > Targets in Prometheus, and set prometheus.selector; it was asked for: {text}"
        return Unseen("Prometheus knows no scrape target of the application", action)
    found = (
        ScrapeTarget(labels.get("job", "?"), labels.get("instance", "?"), up == 1) for labels, up in attempt.series
    )
    return tuple(sorted(found, key=lambda target: (target.job, target.instance)))
