"""The alerts of a target: Prometheus's rules and what became of them, Alertmanager's silences beside them."""

import asyncio
import datetime as dt
from zoneinfo import ZoneInfo

from atomops.errors import NotThere
from atomops.facts.alerts import AlertFacts, AlertmanagerState, Missing, Rule
from atomops.inventory import Prometheus, Target
from atomops.probes.alerts import alertmanager, rules
from atomops.probes.attempt import attempt
from atomops.verdict import Unseen


async def look(target: Target) -> AlertFacts:
    """Everything asked side by side, each question bounded by `prometheus.timeout`.

    Raises what asking for the rules raises; whatever else does not come is Unseen. The rules are Prometheus's own, all
    of them: no selector restricts them.
    """
    settings = target.prometheus
    if settings is None:
        raise NotThere(f"the target {target.name} has no Prometheus", action="add [targets.….prometheus]")
    at = dt.datetime.now(dt.UTC)
    midnight = local_midnight(at, target.timezone)
    found, names, resolved, silences = await asyncio.gather(
        rules.current(settings),
        attempt(rules.metric_names(settings, at)),
        attempt(rules.resolved(settings, midnight, at)),
        _alertmanager(settings),
    )
    every, alerts = found
    return AlertFacts(
        at=at,
        source=f"Prometheus {settings.url}",
        midnight=midnight,
        rules=every,
        alerts=alerts,
        missing=_missing(every, names),
        resolved=resolved,
        alertmanager=silences,
    )


def local_midnight(at: dt.datetime, timezone: str) -> dt.datetime:
    """The beginning (UTC) of the day that `at` belongs to there."""
    there = at.astimezone(ZoneInfo(timezone))
    return dt.datetime.combine(there.date(), dt.time(), tzinfo=there.tzinfo).astimezone(dt.UTC)


async def _alertmanager(settings: Prometheus) -> AlertmanagerState | Unseen | None:
    if settings.alertmanager_url is None:
        return None
    return await attempt(alertmanager.state(settings, settings.alertmanager_url))


def _missing(every: tuple[Rule, ...], names: frozenset[str] | Unseen) -> tuple[Missing, ...] | Unseen:
    return names if isinstance(names, Unseen) else rules.missing(every, names)
