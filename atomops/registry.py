"""@check: a pure function from facts to a reading becomes a judged finding, known to every report by its code."""

import importlib
import pkgutil
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from atomops.facts.outcome import Outcome
from atomops.verdict import Finding, Gap, Level, Limit, NotSeen, Reading, Unseen

Judged = Reading | Gap
Function = TypeVar("Function", bound=Callable[..., Judged])


@dataclass(frozen=True)
class Check:
    """One check: what it is called, what it reads, and from which value on it speaks.

    `facts` is the type that the function reads. `wants_outcome` functions are also called when the probe failed;
    `wants_before` ones get, as a second argument, the facts of the previous look (or None). The rows of
    a `listing` are what a report's reader came for.
    """

    code: str
    section: str
    limit: Limit
    unit: str
    source: str
    trend: str
    function: Callable[..., Judged]
    facts: type
    wants_outcome: bool = False
    wants_before: bool = False
    listing: bool = False

    @property
    def runbook(self) -> str:
        """The page that says what to do about this check, relative to the checkout."""
        return f"docs/runbook/{self.code.lower()}.md"

    @property
    def guarantee(self) -> str:
        """What the check is for: the docstring of its function."""
        return (self.function.__doc__ or "").strip()

    def judge(self, outcome: Outcome[Any], before: object | None, limit: Limit | None = None) -> Finding | Gap:
        """One finding, or the gap that the check itself declared. What could not be looked at is UNKNOWN."""
        try:
            reading = self._read(outcome, before)
        except NotSeen as not_seen:
            return self._unknown(not_seen.unseen, limit or self.limit)
        except Exception as error:  # noqa: BLE001 - one faulty check must not cost the SRE the whole report
            fault = Unseen(
                f"the check itself failed: {type(error).__name__}: {error}", "report this as a bug of Atom Ops"
            )
            return self._unknown(fault, limit or self.limit)
        if isinstance(reading, Gap):
            return reading
        return self._finding(reading, limit or self.limit)

    def _read(self, outcome: Outcome[Any], before: object | None) -> Judged:
        if self.wants_outcome:
            return self.function(outcome)
        if outcome.unseen is not None:
            raise NotSeen(outcome.unseen)
        return self.function(outcome.facts, before) if self.wants_before else self.function(outcome.facts)

    def _finding(self, reading: Reading, limit: Limit) -> Finding:
        return Finding(
            code=self.code,
            section=self.section,
            level=limit.judge(reading.value),
            summary=reading.summary,
            observed=reading.value,
            unit=self.unit,
            warning=limit.warning,
            critical=limit.critical,
            source=self.source,
            evidence=reading.evidence,
            action=reading.action,
            runbook=self.runbook,
            listing=self.listing,
            series=reading.series,
            points=reading.points,
        )

    def _unknown(self, unseen: Unseen, limit: Limit) -> Finding:
        finding = self._finding(Reading(None, unseen.reason, action=unseen.action), limit)
        return replace(finding, level=Level.UNKNOWN)


_CHECKS: dict[str, Check] = {}


def check(  # noqa: PLR0913 - every argument is a column of the check catalogue, given by keyword
    code: str,
    *,
    section: str,
    warning: float | None = None,
    critical: float | None = None,
    worse: Literal["higher", "lower"] = "higher",
    unit: str = "",
    source: str = "",
    trend: str = "",
    listing: bool = False,
) -> Callable[[Function], Function]:
    """Register a check under its code. The type of the function's first argument says which facts it reads.

    An argument of type `Outcome[Facts]` makes the check run even when the probe failed; a second argument of type
    `Facts | None` gets the facts of the previous look. `trend` names the series in which the value is followed.
    The rows of a `listing` are what the reader came for.
    """
    limit = Limit(warning, critical, worse)

    def register(function: Function) -> Function:
        if code in _CHECKS:
            message = f"check {code} is defined twice: {_CHECKS[code].function.__module__} and {function.__module__}"
            raise ValueError(message)
        _CHECKS[code] = Check(code, section, limit, unit, source, trend, function, listing=listing, **_reads(function))
        return function

    return register


def _reads(function: Callable[..., Judged]) -> dict[str, Any]:
    arguments = [kind for name, kind in typing.get_type_hints(function).items() if name != "return"]
    wants_outcome = typing.get_origin(arguments[0]) is Outcome
    facts = typing.get_args(arguments[0])[0] if wants_outcome else arguments[0]
    return {"facts": facts, "wants_outcome": wants_outcome, "wants_before": len(arguments) > 1}


def checks() -> tuple[Check, ...]:
    """Every check of `atomops.checks`, in the order of its modules and lines, whichever was imported first."""
    package = importlib.import_module("atomops.checks")
    modules = [f"{package.__name__}.{module.name}" for module in pkgutil.iter_modules(package.__path__)]
    for module in modules:
        importlib.import_module(module)
    places = {module: place for place, module in enumerate(modules)}
    known = [each for each in _CHECKS.values() if each.function.__module__ in places]
    return tuple(sorted(known, key=lambda each: places[each.function.__module__]))


def judge_all(
    known_checks: Iterable[Check],
    outcomes: Mapping[type, Outcome[Any]],
    before: Mapping[type, object],
    limits: Mapping[str, Limit],
) -> tuple[list[Finding], list[Gap]]:
    """Every check whose facts were asked for, judged; the rest has no outcome and is the caller's to explain."""
    findings: list[Finding] = []
    gaps: list[Gap] = []
    for known_check in known_checks:
        outcome = outcomes.get(known_check.facts)
        if outcome is None:
            continue
        judged = known_check.judge(outcome, before.get(known_check.facts), limits.get(known_check.code))
        if isinstance(judged, Gap):
            gaps.append(judged)
        else:
            findings.append(judged)
    return findings, gaps
