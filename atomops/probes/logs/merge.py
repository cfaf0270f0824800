"""The answers of the scanners become the facts."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from typing import Any

from atomops.facts.logs import ErrorGroup, FileRead, FileSkipped, LogFacts
from atomops.probes.logs.lines import SEVERITIES
from atomops.probes.logs.tally import MOST_GROUPS

Answer = dict[str, Any]


def merge(answers: list[Answer], at: dt.datetime, hours: float) -> LogFacts:
    """One set of facts from every share of the work: counts are added, files and groups are united."""
    tallies = [answer["tally"] for answer in answers]
    files = [file for answer in answers for file in answer["files"]]
    groups = _groups(group for answer in answers for group in answer["tally"]["groups"])
    totals = sum((Counter(tally["totals"]) for tally in tallies), Counter[str]())
    newest = _latest(tallies, "newest")
    furthest = _latest(tallies, "furthest")
    return LogFacts(
        at=at,
        hours=hours,
        files=tuple({file["path"]: FileRead(file["path"], file["size"], file["start"]) for file in files}.values()),
        skipped=tuple(dict.fromkeys(FileSkipped(**file) for answer in answers for file in answer["skipped"])),
        groups=tuple(groups[:MOST_GROUPS]),
        totals=dict(totals),
        critical=sum(count for level, count in totals.items() if SEVERITIES[level] == "CRITICAL"),
        ungrouped=_total(tallies, "ungrouped") + sum(group.count for group in groups[MOST_GROUPS:]),
        lines=_total(tallies, "lines"),
        bytes=_total(tallies, "bytes"),
        not_json=_total(tallies, "not_json"),
        unreadable=_total(tallies, "unreadable"),
        undated=_total(tallies, "undated"),
        levelled=_total(tallies, "levelled") + totals.total(),
        unfinished=tuple(dict.fromkeys(file["path"] for file in files if file["unfinished"])),
        newest=None if newest is None else _moment(newest),
        ahead=max(0.0, (furthest or 0) - at.timestamp()),
    )


def _total(tallies: list[Answer], name: str) -> int:
    return sum(tally[name] for tally in tallies)


def _latest(tallies: list[Answer], name: str) -> float | None:
    return max((tally[name] for tally in tallies if tally[name] is not None), default=None)


def _groups(parts: Iterable[Answer]) -> list[ErrorGroup]:
    """The largest first. Text and logger are those of the part that began first."""
    united: dict[tuple[str, str, bool], Answer] = {}
    for part in sorted(parts, key=lambda part: (part["first"], part["sample"])):
        key = (part["level"], part["code"] or part["pattern"], bool(part["code"]))
        known = united.setdefault(key, part | {"count": 0})
        known["count"] += part["count"]
        known["last"] = max(known["last"], part["last"])
    groups = [ErrorGroup(**_dated(part)) for part in united.values()]
    return sorted(groups, key=lambda group: (-group.count, group.name))


def _dated(part: Answer) -> Answer:
    return part | {"first": _moment(part["first"]), "last": _moment(part["last"])}


def _moment(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)
