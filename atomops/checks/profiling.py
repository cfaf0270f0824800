"""Whether an agent's profiling was switched as asked, and is off again."""

from atomops.facts.cache import Answered
from atomops.facts.outcome import Outcome
from atomops.facts.profiling import ProfilingFacts
from atomops.humane import span
from atomops.registry import check
from atomops.verdict import Evidence, Gap, NotSeen, Reading, Unseen, known

SECTION = "Profiling"
_GUIDE = "operations guide"
_DRY = "dry run: nothing was switched"


@check("PROFILE-RUN", section=SECTION, critical=1, unit="failures", source=_GUIDE)
def run(outcome: Outcome[ProfilingFacts]) -> Reading:
    """Every request was answered as it should be: each with its exact address."""
    if outcome.facts is None:
        return outcome.reachable("the profiling")
    seen = outcome.facts
    evidence = Evidence.of(("step", "exactly"), ((step.what, step.exactly) for step in seen.steps))
    problems = [answered.problem for answered in (seen.on, seen.off) if answered is not None and answered.problem]
    if problems:
        return Reading(len(problems), problems[0].reason, action=problems[0].action, evidence=evidence)
    return Reading(0, _told(seen), evidence=evidence)


def _told(seen: ProfilingFacts) -> str:
    if seen.dry_run:
        return f"the profiling of {seen.agent} would be switched; nothing was changed"
    if seen.on is None or seen.until is None:
        return f"the profiling of {seen.agent} is off"
    early = ", when somebody else had switched it off" if seen.early else ""
    return f"the profiling of {seen.agent} was on for {span((seen.until - seen.at).total_seconds())}{early}"


@check("PROFILE-ON", section=SECTION, critical=1, unit="failures", source="read back from the answer")
def switched_on(seen: ProfilingFacts) -> Reading | Gap:
    """The application itself said that it is on."""
    if seen.on is None:
        return Gap(SECTION, f"switching on: {_DRY if seen.dry_run else 'not asked for'}")
    return _read_back(seen.on, seen.enabled_on, wanted=True)


@check("PROFILE-OFF", section=SECTION, critical=1, unit="failures", source="read back from the answer")
def switched_off(seen: ProfilingFacts) -> Reading | Gap:
    """The application itself said that it is off again: profiling that nobody ends costs every user."""
    if seen.off is None:
        why = _DRY if seen.dry_run else "it was never switched on"
        return Gap(SECTION, f"switching off: {why}")
    return _read_back(seen.off, seen.enabled_off, wanted=False)


def _read_back(answered: Answered, says: bool | None, *, wanted: bool) -> Reading:  # noqa: FBT001 - as the answer has it
    word = "on" if wanted else "off"
    if answered.problem is not None:
        action = answered.problem.action + ("" if wanted else "; then atomops resume switches it off")
        return Reading(1, f"not known to be {word}: {answered.problem.reason}", action=action)
    if says is None:
        action = 'look at the agent in the application; an answer with "enabled" would tell'
        raise NotSeen(Unseen(f"{answered.request} answers {answered.status}, but not whether it is {word}", action))
    if says is not wanted:
        reason = f'{answered.request} answers {answered.status} and "enabled": {str(says).lower()}'
        return Reading(1, f"it is not {word}: {reason}", action="look at the application's log")
    return Reading(0, f"it is {word}, says the application ({answered.status} in {span(answered.seconds)})")


@check("PROFILE-SAFETY", section=SECTION, unit="runs", source="Atom Ops default")
def safety(seen: ProfilingFacts) -> Reading | Gap:
    """A run that is scheduled would have switched it off, had this one been killed."""
    if seen.on is None:
        return Gap(SECTION, "a second run that switches it off: nothing is on")
    if isinstance(seen.safety, Unseen):
        return Gap(SECTION, f"a second run that switches it off: {seen.safety.reason}")
    return Reading(1, known(seen.safety))


@check("PROFILE-RESUMED", section=SECTION, unit="agents", source="information")
def resumed(seen: ProfilingFacts) -> Reading:
    """What runs that were killed had left on, and was switched off first."""
    return Reading(len(seen.resumed), "; ".join(seen.resumed) or "no killed run had left one on")
