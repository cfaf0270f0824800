"""Without Prometheus: two looks at the application's own metrics page, judged over the time between them."""

import asyncio
import datetime as dt
import time

from prometheus_client.parser import text_string_to_metric_families

from atomops.errors import BadAnswer
from atomops.facts.metrics import MetricsFacts
from atomops.facts.scrapes import Page, Sample, has_requests, values
from atomops.inventory import App
from atomops.probes.http import request
from atomops.profiles.profile import Profile
from atomops.verdict import Unseen

_OK = 200
_MINIMUM_REQUESTS = 20  # as with Prometheus
_SHOWN = 80  # characters of an unexpected body


async def look(app: App, profiles: tuple[Profile, ...]) -> MetricsFacts:
    """Rates over `app.metrics_interval` seconds. Raises what the request raises, or BadAnswer for another page."""
    path, first = await _first_page(app, profiles)
    started = time.monotonic()
    await asyncio.sleep(app.metrics_interval)
    second = await _page(app, path)
    window = time.monotonic() - started
    found = next((profile for profile in profiles if has_requests(second, profile.metrics)), None)
    if found is None and len(profiles) == 1:
        found = profiles[0]
    return MetricsFacts(
        at=dt.datetime.now(dt.UTC),
        source=f"two scrapes of {app.url}{path}",
        window=window,
        minimum_requests=_MINIMUM_REQUESTS,
        profile=found.name if found else _no_profile(app.url + path, profiles),
        values=values(first, second, window, found.metrics) if found else {},
        warnings=(),
        targets=Unseen("there is no Prometheus that would know", "add [targets.….prometheus] to the inventory"),
        targets_down=(),
        clock_offset=Unseen("a metrics page has no clock"),
    )


async def _first_page(app: App, profiles: tuple[Profile, ...]) -> tuple[str, Page]:
    """The configured page, else the first of the profiles' pages that holds metrics."""
    paths = [app.metrics_path] if app.metrics_path else [profile.health.metrics for profile in profiles]
    refused: BadAnswer | None = None
    for path in paths:
        try:
            return path, await _page(app, path)
        except BadAnswer as error:
            refused = refused or error
    raise refused or BadAnswer(f"{app.url} has no metrics page", action="set app.metrics_path")


async def _page(app: App, path: str) -> Page:
    headers = {"Host": app.host_header} if app.host_header else {}
    answer = await request("GET", app.url + path, timeout=app.timeout, headers=headers, ca_file=app.ca_file)
    shown = repr(answer.body[:_SHOWN].decode(errors="replace").strip())
    action = "set app.metrics_path, or add [targets.….prometheus]"
    if answer.status != _OK:
        raise BadAnswer(f"{app.url}{path} answers {answer.status}: {shown}", action=action)
    try:
        families = list(text_string_to_metric_families(answer.body.decode()))
    except (ValueError, UnicodeDecodeError, KeyError, IndexError) as error:
        raise BadAnswer(f"{app.url}{path} is no metrics page: {shown}", action=action) from error
    return tuple(
        Sample(sample.name, dict(sample.labels), float(sample.value))
        for family in families
        for sample in family.samples
    )


def _no_profile(url: str, profiles: tuple[Profile, ...]) -> Unseen:
    names = ", ".join(profile.metrics["requests"].name for profile in profiles if "requests" in profile.metrics)
    return Unseen(f"{url} has none of the metrics of any profile: {names}", "set `profile`")
