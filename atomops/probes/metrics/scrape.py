"""Without Prometheus: two looks at the application's own metrics page, judged over the time between them."""

import asyncio
import datetime as dt
import time
from http import HTTPStatus

from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain_text

from atomops.errors import AccessDenied, AtomOpsError, BadAnswer, NotThere, TemporaryError
from atomops.facts.metrics import MetricsFacts
from atomops.facts.scrapes import Page, Sample, has_requests, values
from atomops.inventory import App
from atomops.probes.http import Answer, request
from atomops.profiles.profile import Profile
from atomops.verdict import Unseen

_MINIMUM_REQUESTS = 20  # as with Prometheus
_SHOWN = 80  # characters of an unexpected body
_LEAST_SECONDS = 0.5  # for the second scrape, when the first took nearly all
_PLAIN = "text/plain;version=0.0.4"


async def look(app: App, profiles: tuple[Profile, ...]) -> MetricsFacts:
    """Rates over `app.metrics_interval` seconds; ends within `app.timeout` seconds more.

    Raises NotThere, AccessDenied, BadAnswer, Unreachable, TimedOut or TemporaryError, naming the page.
    """
    asked = time.monotonic()
    path, first = await _find(app, profiles)
    scraped = time.monotonic()
    await asyncio.sleep(app.metrics_interval)
    second = await _page(app, path, max(app.timeout - (scraped - asked), _LEAST_SECONDS))
    window = time.monotonic() - scraped
    profile = _recognise(second, profiles)
    return MetricsFacts(
        at=dt.datetime.now(dt.UTC),
        source=f"two scrapes of {app.url}{path}",
        window=window,
        minimum_requests=_MINIMUM_REQUESTS,
        profile=profile.name if profile else _no_profile(app.url + path, profiles),
        values=values(first, second, window, profile.metrics) if profile else {},
    )


async def _find(app: App, profiles: tuple[Profile, ...]) -> tuple[str, Page]:
    """The configured page, else of the profiles' pages, asked side by side, the first that counts requests."""
    paths = [app.metrics_path] if app.metrics_path else [profile.health.metrics for profile in profiles]
    rooted = list(dict.fromkeys(f"/{path.lstrip('/')}" for path in paths))
    attempts = await asyncio.gather(*(_attempt(app, path) for path in rooted))
    pages = [(path, page) for path, page in zip(rooted, attempts, strict=True) if not isinstance(page, AtomOpsError)]
    counting = [(path, page) for path, page in pages if any(has_requests(page, each.metrics) for each in profiles)]
    if counting or pages:
        return (counting or pages)[0]
    raise _worst([error for error in attempts if isinstance(error, AtomOpsError)], f"{app.url}{' or '.join(rooted)}")


async def _attempt(app: App, path: str) -> Page | AtomOpsError:
    try:
        return await _page(app, path, app.timeout)
    except AtomOpsError as error:
        return error


def _worst(errors: list[AtomOpsError], where: str) -> AtomOpsError:
    """What says more than that a page is not there."""
    telling = [error for error in errors if not isinstance(error, NotThere)]
    return telling[0] if telling else NotThere(f"there is no metrics page at {where}", action="set app.metrics_path")


def _recognise(page: Page, profiles: tuple[Profile, ...]) -> Profile | None:
    found = [profile for profile in profiles if has_requests(page, profile.metrics)]
    return (found or list(profiles))[0] if found or len(profiles) == 1 else None


async def _page(app: App, path: str, seconds: float) -> Page:
    headers = {"Accept": _PLAIN} | ({"Host": app.host_header} if app.host_header else {})
    answer = await request("GET", app.url + path, timeout=seconds, headers=headers, ca_file=app.ca_file)
    if answer.status != HTTPStatus.OK:
        raise _refusal(answer, app.url + path)
    try:
        return await asyncio.to_thread(_parse, answer)
    except ValueError as error:
        action = "set app.metrics_path, or add [targets.….prometheus]"
        raise BadAnswer(f"{app.url}{path} is no metrics page ({error}): {_shown(answer)}", action=action) from error


def _parse(answer: Answer) -> Page:
    """Every sample. Raises ValueError for what is not in the format that its content type says."""
    content = answer.headers.get("content-type", "")
    if content.startswith("text/html"):
        raise ValueError("HTML")
    parse = open_metrics if content.startswith("application/openmetrics-text") else plain_text
    families = parse(answer.body.decode())
    return tuple(Sample(each.name, each.labels, float(each.value)) for family in families for each in family.samples)


def _refusal(answer: Answer, url: str) -> AtomOpsError:
    match answer.status:
        case HTTPStatus.NOT_FOUND:
            return NotThere(f"there is no metrics page at {url} (404)", action="set app.metrics_path")
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            action = "let the probe's address pass without a login, or add [targets.….prometheus]"
            return AccessDenied(f"{url} refuses us ({answer.status})", action=action)
        case HTTPStatus.BAD_REQUEST if b"host" in answer.body[:_SHOWN].lower():
            action = "set app.host_header to a host that the application allows"
            return BadAnswer(f"{url} answers 400: {_shown(answer)}", action=action)
        case status if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return TemporaryError(f"{url} answers {status}: {_shown(answer)}", action="look at the error log")
        case status:
            action = "set app.metrics_path, or add [targets.….prometheus]"
            return BadAnswer(f"{url} answers {status}: {_shown(answer)}", action=action)


def _shown(answer: Answer) -> str:
    return repr(" ".join(answer.body.decode(errors="replace").split())[:_SHOWN])


def _no_profile(url: str, profiles: tuple[Profile, ...]) -> Unseen:
    names = ", ".join(profile.metrics["requests"].name for profile in profiles if "requests" in profile.metrics)
    return Unseen(f"{url} has none of the metrics of any profile: {names}", "set `profile`, or app.metrics_path")
