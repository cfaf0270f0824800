"""Watch the application for a while after a change, and say whether it does as well as before."""

import time
from dataclasses import replace
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from atomops import overrides
from atomops.facts.outcome import Outcome
from atomops.facts.settling import SettlingFacts
from atomops.inventory import Target
from atomops.probes import settling
from atomops.probes.settling import Baseline
from atomops.registry import judge_all
from atomops.verdict import Level, Unseen
from tasks.judge import every_check
from tasks.progress import shown_progress


@task(task_run_name="look-before", cache_policy=NO_CACHE)
async def look_before(target: Target) -> Baseline:
    """How it is before the change. Never raises: what cannot be seen says why."""
    return await settling.baseline(target)


@task(task_run_name="settle", cache_policy=NO_CACHE)
async def settle(flow: str, target: Target, before: Baseline, seconds: float) -> SettlingFacts:
    """How it does for so many seconds. Never raises: what cannot be seen says why."""
    begun = time.monotonic()

    async def measure() -> float:
        return (time.monotonic() - begun) / max(1, seconds)

    async with shown_progress(f"{flow}-{target.name}-settling", "Watching errors and readiness", measure):
        return await settling.settle(target, before, seconds)


def what_is_worse(target: Target, seen: SettlingFacts) -> Unseen | None:
    """Why the application is not as well as before: the first critical finding, by the target's own limits."""
    mine = [check for check in every_check(target) if check.facts is SettlingFacts]
    outcome = Outcome("settling", seen.seconds, facts=seen)
    findings, _ = judge_all(mine, {SettlingFacts: outcome}, {}, overrides.limits(every_check(target), target))
    worst = next((finding for finding in findings if finding.level is Level.CRITICAL), None)
    return Unseen(worst.summary, worst.action) if worst else None


def by_part(outcome: Outcome[Any]) -> list[Outcome[Any]]:
    """An outcome of a change's facts and those of its settling, as two; as one where it never came to that."""
    if outcome.facts is None:
        return [outcome]
    changed, settled = outcome.facts
    whole: list[Outcome[Any]] = [replace(outcome, facts=changed)]
    return whole if settled is None else [*whole, Outcome("settling", settled.seconds, facts=settled)]
