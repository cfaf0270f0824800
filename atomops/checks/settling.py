"""Whether the application is as well after a change as it was before, for as long as it was watched."""

from collections.abc import Iterable

from atomops.facts.logs import ErrorGroup
from atomops.facts.settling import Errors, SettlingFacts
from atomops.humane import plural, span
from atomops.registry import check
from atomops.verdict import Evidence, Gap, NotSeen, Reading, Unseen, known

SECTION = "Settling"
_GUIDE = "operations guide"
_OWN = "Atom Ops default"
_SHOWN = 15  # rows of evidence
_FEW = 20  # fewer error records than this are no flood, whatever was before
_LOOK = "read the sample, then the code of its logger; compare with what has just been changed"


@check("SETTLE-NOT-READY", section=SECTION, critical=1, unit="applications", source=_GUIDE)
def not_ready(seen: SettlingFacts) -> Reading:
    """The application is ready at the end of the time that it was watched."""
    if seen.is_ready is None:
        raise NotSeen(Unseen("nobody could ask the application whether it is ready", "add [targets.….app]"))
    if not seen.is_ready:
        return Reading(1, f"not ready after {span(seen.seconds)}: {seen.last_refusal}", action="look at its error log")
    return Reading(0, f"still ready after {span(seen.seconds)}")


@check("SETTLE-REFUSED", section=SECTION, warning=1, unit="refusals", source=_OWN)
def refused(seen: SettlingFacts) -> Reading | Gap:
    """Once it was ready it stayed so: what flaps is about to fall, or is restarted by its health check."""
    if seen.is_ready is None:
        return Gap(SECTION, "readiness in between: nobody could ask the application")
    told = f"{plural(seen.refused, 'refusal')} among {plural(seen.asked, 'question')} in {span(seen.seconds)}"
    if not seen.refused:
        return Reading(0, told)
    return Reading(seen.refused, f"{told}, the last: {seen.last_refusal}", action="look at its error log")


@check("SETTLE-ERRORS-NEW", section=SECTION, warning=1, unit="kinds", source=_OWN)
def new_errors(seen: SettlingFacts) -> Reading | Gap:
    """No kind of error that the hours before the change did not know."""
    errors = _errors(seen)
    if isinstance(errors, Gap):
        return errors
    told = f"{plural(len(errors.new), 'new kind')} of error since {errors.since:%H:%M:%S} UTC"
    if errors.new:
        told += f", the most frequent {plural(errors.new[0].count, 'time')}: {errors.new[0].name}"
    return Reading(len(errors.new), told, action=_LOOK if errors.new else "", evidence=_groups(errors.new))


@check("SETTLE-ERRORS", section=SECTION, warning=3, critical=10, unit="times", source=_OWN)
def more_errors(seen: SettlingFacts) -> Reading | Gap:
    """Errors do not come many times more often than in the hours before; one is added to either side."""
    errors = _errors(seen)
    if isinstance(errors, Gap):
        return errors
    told = f"{plural(errors.records, 'error')} in {span(errors.seconds)}, {errors.expected:.1f} were to be expected"
    times = (errors.records + 1) / (errors.expected + 1)
    if errors.records < _FEW:
        return Reading(min(times, 1), f"{told}; too few to be a flood")
    return Reading(times, told, action=_LOOK, evidence=_groups(errors.groups))


@check("SETTLE-ERRORS-CRITICAL", section=SECTION, critical=1, unit="records", source=_GUIDE)
def critical_errors(seen: SettlingFacts) -> Reading | Gap:
    """No record since the change is critical, fatal, emergency, alert or panic."""
    errors = _errors(seen)
    if isinstance(errors, Gap):
        return errors
    groups = [group for group in errors.groups if group.level == "CRITICAL"]
    told = f"{plural(errors.critical, 'critical record')} since {errors.since:%H:%M:%S} UTC"
    if groups:
        told += f": {groups[0].sample}"
    return Reading(errors.critical, told, action=_LOOK if groups else "", evidence=_groups(groups))


@check("SETTLE-ERROR-RATIO", section=SECTION, warning=0.01, critical=0.05, unit="ratio", source=_GUIDE)
def error_ratio(seen: SettlingFacts) -> Reading | Gap:
    """The share of failed requests is not larger than before by the guide's 1 %, or 5 %."""
    if seen.requests is None:
        return Gap(SECTION, "failed requests: not configured, the inventory has no […prometheus] or […app]")
    requests = known(seen.requests)
    asked = known(requests.asked)
    if asked < requests.minimum:
        few = f"{asked:.0f} requests in {span(requests.seconds)}"
        return Gap(SECTION, f"failed requests: {few} make no ratio (from {requests.minimum:g} on they do)")
    now = known(requests.failed_ratio)
    before = 0.0 if isinstance(requests.before, Unseen) else requests.before
    was = "nobody knows of before" if isinstance(requests.before, Unseen) else f"{100 * before:.2f} % before"
    told = f"{100 * now:.2f} % of {asked:.0f} requests failed in {span(requests.seconds)}; {was}"
    return Reading(max(0.0, now - before), told, action="look at the new errors, by code")


def _errors(seen: SettlingFacts) -> Errors | Gap:
    if seen.errors is None:
        return Gap(SECTION, "errors: not configured, the inventory has no […logs]")
    return known(seen.errors)


def _groups(groups: Iterable[ErrorGroup]) -> Evidence | None:
    rows = [
        (group.level, group.name, group.count, f"{group.first:%H:%M:%S}", group.logger, group.sample)
        for group in groups
    ][:_SHOWN]
    return Evidence.of(("level", "kind", "records", "first", "logger", "sample"), rows) if rows else None
