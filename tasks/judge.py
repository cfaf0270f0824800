"""Judge what was seen, and compare it with the last report: outcomes become a report."""

import datetime as dt
import functools
import socket
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run

from atomops import overrides
from atomops.facts.fleet import FleetFacts
from atomops.facts.outcome import Outcome
from atomops.facts.postgres import PostgresFacts
from atomops.inventory import Target
from atomops.probes.parts import FLEET, Part
from atomops.profiles import candidates
from atomops.questions import question_checks
from atomops.registry import Check, checks, judge_all
from atomops.reports.build import build_report
from atomops.reports.fleet import of_fleet
from atomops.reports.report import Report, Run
from atomops.stores.history import last_report, load_facts
from atomops.verdict import Gap


@task(task_run_name="judge", cache_policy=NO_CACHE)
async def judge(
    flow: str, target: Target, parts: Sequence[Part], outcomes: Sequence[Outcome[Any]], started_at: dt.datetime
) -> Report:
    """The report of the flow, as `report_of` makes it."""
    return report_of(flow, target, parts, outcomes, started_at)


def report_of(
    flow: str, target: Target, parts: Sequence[Part], outcomes: Sequence[Outcome[Any]], started_at: dt.datetime
) -> Report:
    """The report of the flow: every check on the parts, judged against the target's limits and its last report.

    `outcomes` belong to the configured ones of `parts`. Raises InventoryError for a limit of an unknown check.
    """
    every = every_check(target)
    sections = [section for part in parts for section in part.sections]
    seen = dict(zip((part.facts for part in parts if not part.missing(target)), outcomes, strict=True))
    asked = [check for check in every if _is_wanted(check, parts)]
    earlier = {kind: load_facts(target.history, target.name, kind) for kind in seen}
    before = {kind: facts for kind, (facts, _) in earlier.items()}
    findings, gaps = judge_all(asked, seen, before, overrides.limits(every, target))
    previous, notes = last_report(target.history, target.name, flow)
    notes += [note for _, noted in earlier.values() for note in noted]
    return build_report(
        flow=flow,
        target=target.name,
        sections=sections,
        findings=findings,
        gaps=[*_not_configured(parts, target), *gaps, *(Gap("History", note) for note in notes)],
        acknowledgements=overrides.acknowledgements(every, target),
        trends={check.code: check.trend for check in every if check.trend},
        previous=previous,
        started_at=started_at,
        finished_at=dt.datetime.now(dt.UTC),
        run=Run(flow_run.id or "", socket.gethostname(), _versions(seen)),
    )


def report_of_fleet(flow: str, seen: FleetFacts, history: Path, started_at: dt.datetime) -> Report:
    """The report of many targets, compared with the last one that lies in the folder."""
    mine = [each for each in checks() if each.facts is FleetFacts]
    outcome: Outcome[FleetFacts] = Outcome("fleet", 0, facts=seen)
    findings, gaps = judge_all(mine, {FleetFacts: outcome}, {}, {})
    previous, notes = last_report(history, seen.checklist, flow)
    report = build_report(
        flow=flow,
        target=seen.checklist,
        sections=FLEET.sections,
        findings=findings,
        gaps=[*gaps, *(Gap("History", note) for note in notes)],
        acknowledgements={},
        trends={check.code: check.trend for check in mine if check.trend},
        previous=previous,
        started_at=started_at,
        finished_at=dt.datetime.now(dt.UTC),
        run=Run(flow_run.id or "", socket.gethostname(), _versions({})),
    )
    return of_fleet(report, seen)


def every_check(target: Target) -> tuple[Check, ...]:
    """Those of the code and those of the target's profile."""
    return (*checks(), *question_checks(candidates(target.profile)))


def _is_wanted(check: Check, parts: Iterable[Part]) -> bool:
    """Unless the part that looks at its facts wants only others."""
    return all(part.codes is None or check.code in part.codes for part in parts if part.facts is check.facts)


def _not_configured(parts: Iterable[Part], target: Target) -> list[Gap]:
    missing = ((part, part.missing(target)) for part in parts)
    return [Gap(section, reason) for part, reason in missing if reason for section in part.sections]


_version = functools.cache(version)


def _versions(seen: Mapping[type, Outcome[Any]]) -> dict[str, str]:
    versions = {name: _version(name) for name in ("atom-ops", "prefect")}
    postgres = seen.get(PostgresFacts)
    if postgres is not None and postgres.facts is not None:
        versions["postgresql"] = postgres.facts.server.version
    return versions
