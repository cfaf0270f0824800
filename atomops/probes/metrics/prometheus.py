"""Prometheus, asked by POST, with every way of not answering told apart."""

import asyncio
import datetime as dt
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from atomops.commands import promql
from atomops.errors import AccessDenied, AtomOpsError, BadAnswer, PermanentError, TemporaryError
from atomops.facts.metrics import MetricsFacts
from atomops.inventory import Prometheus
from atomops.probes.http import Answer, request
from atomops.profiles.profile import Counter, Profile
from atomops.verdict import Unseen

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_SHOWN = 160  # characters of an unexpected body


@dataclass(frozen=True)
class Result:
    """What one query brought: series as label sets with a value each, and what Prometheus remarked."""

    series: tuple[tuple[Mapping[str, str], float], ...]
    remarks: tuple[str, ...]

    def single(self, query: str) -> float | Unseen:
        """The one value of an aggregated query; none, NaN and infinity are no values."""
        if not self.series:
            return Unseen("Prometheus has no such series", f"run it in Prometheus: {query}")
        value = self.series[0][1]
        if math.isnan(value) or math.isinf(value):
            kind = "not a number: there was no traffic in the window" if math.isnan(value) else "infinite"
            return Unseen(f"Prometheus's answer is {kind}", f"run it in Prometheus: {query}")
        return value


async def look(settings: Prometheus, profiles: tuple[Profile, ...]) -> MetricsFacts:
    """Everything asked side by side. Raises AccessDenied, BadAnswer, Unreachable, TimedOut or TemporaryError."""
    before = time.time()
    clock = await query(settings, "time()")
    server_time = clock.single("time()")
    offset = server_time if isinstance(server_time, Unseen) else server_time - (before + time.time()) / 2
    profile = await _recognise(settings, profiles)
    asked = promql.queries(profile.metrics, settings.window, settings.selector) if isinstance(profile, Profile) else {}
    up = f"up{{{settings.selector}}}"
    results = await asyncio.gather(*(_attempt(settings, text) for text in [up, *asked.values()]))
    targets, down = _targets(results[0], up)
    return MetricsFacts(
        at=dt.datetime.now(dt.UTC),
        source=f"Prometheus {settings.url}",
        window=float(settings.window[:-1]) * _UNITS[settings.window[-1]],
        minimum_requests=settings.minimum_requests,
        profile=profile.name if isinstance(profile, Profile) else profile,
        values={name: _single(result, asked[name]) for name, result in zip(asked, results[1:], strict=True)},
        warnings=tuple(
            dict.fromkeys(remark for result in results if isinstance(result, Result) for remark in result.remarks)
        ),
        targets=targets,
        targets_down=down,
        clock_offset=offset,
    )


async def query(settings: Prometheus, text: str) -> Result:
    """One instant query. Raises the error that names the server and, where it is to blame, the query."""
    headers = {"Authorization": f"Bearer {settings.token.reveal()}"} if settings.token else {}
    auth = (settings.username, settings.password.reveal()) if settings.username and settings.password else None
    answer = await request(
        "POST",
        f"{settings.url}/api/v1/query",
        data={"query": text},
        headers=headers,
        auth=auth,
        timeout=settings.timeout,
        ca_file=settings.ca_file,
    )
    return _result(_body(answer, settings.url, text), settings.url)


async def _attempt(settings: Prometheus, text: str) -> Result | Unseen:
    """A query that fails by itself leaves the others alone; when the server is gone everything ends."""
    try:
        return await query(settings, text)
    except PermanentError as error:
        return Unseen(error.what, error.action)


def _body(answer: Answer, url: str, text: str) -> Mapping[str, Any]:
    where = f"Prometheus {url}"
    if answer.status in {401, 403}:
        raise AccessDenied(
            f"{where} refuses us ({answer.status})", action="check prometheus.username, password or token"
        )
    try:
        body = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        body = None
    if isinstance(body, dict) and body.get("status") == "error":
        raise _refusal(body, where, text)
    if answer.status >= 500 or answer.status == 429:  # noqa: PLR2004 - HTTP's own numbers
        raise TemporaryError(f"{where} answers {answer.status}: {_shown(answer)}", action="look at its log")
    if not isinstance(body, dict) or body.get("status") != "success":
        action = "check prometheus.url: it is the address before /api/v1"
        raise BadAnswer(f"{where} answers {answer.status} and not as Prometheus does: {_shown(answer)}", action=action)
    return body


def _refusal(body: Mapping[str, Any], where: str, text: str) -> AtomOpsError:
    kind, said = body.get("errorType", "error"), str(body.get("error", ""))[:_SHOWN]
    if kind in {"bad_data", "execution"}:
        return BadAnswer(
            f"{where} cannot evaluate {text!r}: {kind}: {said}", action="mend the profile or prometheus.selector"
        )
    return TemporaryError(f"{where} says {kind}: {said}", action="look at its load")


def _result(body: Mapping[str, Any], url: str) -> Result:
    remarks = tuple(str(remark) for kind in ("warnings", "infos") for remark in body.get(kind) or ())
    data = body.get("data") or {}
    try:
        if data["resultType"] in {"scalar", "string"}:
            return Result((({}, float(data["result"][1])),), remarks)
        series = tuple((each["metric"], float(each["value"][1])) for each in data["result"])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise BadAnswer(f"Prometheus {url} answers in an unknown form: {error}", action="check its version") from error
    return Result(series, remarks)


async def _recognise(settings: Prometheus, profiles: tuple[Profile, ...]) -> Profile | Unseen:
    """The profile whose requests have series; with a single candidate, that one."""
    if len(profiles) == 1:
        return profiles[0]
    names: list[str] = []
    for profile in profiles:
        requests = profile.metrics.get("requests")
        if isinstance(requests, Counter):
            names.append(requests.name)
            if (await query(settings, f"count({promql.selector(requests, extra=settings.selector)})")).series:
                return profile
    action = "does Prometheus scrape the application? set `profile`, or prometheus.selector"
    return Unseen(f"Prometheus has none of the metrics of any profile: {', '.join(names)}", action)


def _single(result: Result | Unseen, text: str) -> float | Unseen:
    return result if isinstance(result, Unseen) else result.single(text)


def _targets(result: Result | Unseen, text: str) -> tuple[int | Unseen, tuple[str, ...]]:
    if isinstance(result, Unseen):
        return result, ()
    if not result.series:
        return Unseen("Prometheus knows no scrape target", f"check scrape_configs; run it in Prometheus: {text}"), ()
    down = tuple(f"{labels.get('job', '?')} {labels.get('instance', '?')}" for labels, up in result.series if up == 0)
    return len(result.series), down


def _shown(answer: Answer) -> str:
    return repr(answer.body[:_SHOWN].decode(errors="replace").strip())
