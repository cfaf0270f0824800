"""Targets for tests, and the findings that looking at them gives."""

import asyncio
from typing import Any

from atomops.facts.outcome import Outcome
from atomops.inventory import Target
from atomops.probes.parts import Part
from atomops.profiles import candidates
from atomops.questions import question_checks
from atomops.registry import checks, judge_all
from atomops.verdict import Finding


def target(password: str = "", **parts: Any) -> Target:  # noqa: ANN401 - as in an inventory
    """A target as an inventory would give it; every secret of it is `password`."""
    context = {"read_secret": lambda _reference: password}
    return Target.model_validate({"name": "test", **parts}, context=context)


def look(part: Part, at: Target) -> Any:  # noqa: ANN401 - each part has facts of its own type
    """What its probe saw. Raises what the probe raises."""

    async def looked() -> Any:  # noqa: ANN401 - each part has facts of its own type
        return await part.look(at)

    return asyncio.run(looked())


def reach(part: Part, at: Target) -> Any:  # noqa: ANN401 - each part has an answer of its own
    """What its quicker look saw."""

    async def reached() -> Any:  # noqa: ANN401 - each part has an answer of its own
        assert part.reach
        return await part.reach(at)

    return asyncio.run(reached())


def findings(part: Part, facts: object, before: object | None = None) -> dict[str, Finding]:
    """What the checks make of the facts, by code."""
    every = [*checks(), *question_checks(candidates("auto"))]
    mine = [check for check in every if check.facts is part.facts]
    outcome: Outcome[Any] = Outcome(part.name, 0.1, facts=facts)
    judged, _ = judge_all(mine, {part.facts: outcome}, {part.facts: before} if before else {}, {})
    return {finding.code: finding for finding in judged}
