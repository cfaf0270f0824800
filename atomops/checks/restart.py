"""Whether a restart brought the application back, what it cost the users, and what was done when it did not."""

from itertools import zip_longest

from atomops.facts.outcome import Outcome
from atomops.facts.restart import RestartFacts
from atomops.facts.runtime import Instance
from atomops.humane import plural, span
from atomops.registry import check
from atomops.verdict import Evidence, Gap, Reading, known

SECTION = "Restart"
_GUIDE = "operations guide"
_SHOWN = 40  # rows of evidence
_DRY = "dry run: nothing was restarted"


@check("RESTART-RUN", section=SECTION, critical=1, unit="failures", source=_GUIDE)
def run(outcome: Outcome[RestartFacts]) -> Reading:
    """The restart could begin, every new instance came up, and the application did as well as before for a while."""
    if outcome.facts is None:
        return outcome.reachable("the restart")
    facts = outcome.facts
    if facts.problem:
        said = Evidence.of(("what it said",), ([line] for line in facts.said[-_SHOWN:]))
        evidence = said if facts.said else _plan(facts)
        return Reading(1, facts.problem.reason, action=facts.problem.action, evidence=evidence)
    if facts.dry_run:
        return Reading(0, f"{facts.runtime} would be restarted", evidence=_plan(facts))
    return Reading(0, f"{facts.runtime} was restarted in {span(facts.took or 0)}", evidence=_plan(facts))


def _plan(facts: RestartFacts) -> Evidence:
    return Evidence.of(("step", "exactly"), ((step.what, step.exactly) for step in facts.steps))


@check("RESTART-NOT-UP", section=SECTION, critical=1, unit="instances", source=_GUIDE)
def not_up(seen: RestartFacts) -> Reading:
    """At the end as many instances serve as were meant to before."""
    now = seen.before if seen.after is None else known(seen.after)
    wanted = max(seen.before.wanted, now.wanted)
    notes = f"; {'; '.join(now.notes)}" if now.notes else ""
    told = f"{now.ready} of {plural(wanted, 'instance')} {'serve' if now.ready != 1 else 'serves'}{notes}"
    rows = [
        (*_row(old), *_row(new)) for old, new in zip_longest(seen.before.instances, now.instances if seen.after else ())
    ]
    columns = ("before", "state", "since", "now", "state", "since")
    missing = max(0, wanted - now.ready)
    action = "atomops resume brings back what ran before; look at its log first" if missing else ""
    return Reading(missing, told, action=action, evidence=Evidence.of(columns, rows[:_SHOWN]) if rows else None)


def _row(instance: Instance | None) -> tuple[str, str, str]:
    if instance is None:
        return "", "", ""
    since = f"{instance.started_at:%Y-%m-%d %H:%M:%S} UTC" if instance.started_at else ""
    name = f"{instance.name} ({instance.version})" if instance.version else instance.name
    return name, f"{instance.state}: {instance.problem}" if instance.problem else instance.state, since


@check(
    "RESTART-DOWNTIME",
    section=SECTION,
    warning=30,
    critical=300,
    unit="s",
    source="Atom Ops default",
    trend="restart.downtime_seconds",
)
def downtime(seen: RestartFacts) -> Reading | Gap:
    """From the first readiness question that was refused to the first good answer that stayed."""
    if seen.dry_run:
        return Gap(SECTION, f"downtime: {_DRY}")
    if seen.was_ready is None:
        return Gap(SECTION, "downtime: nobody could ask the application, add [targets.….app]")
    if seen.downtime is None:
        return Reading(0, "no request was refused")
    told = f"requests were refused for {span(seen.downtime)} ({plural(seen.refusals, 'refusal')} seen)"
    return Reading(seen.downtime, told, action="several instances behind one address restart without a refusal")


@check("RESTART-TAKEN-BACK", section=SECTION, warning=1, unit="restarts", source=_GUIDE)
def taken_back(seen: RestartFacts) -> Reading | Gap:
    """No restart had to be taken back."""
    if seen.dry_run:
        return Gap(SECTION, f"going back: {_DRY}")
    if not seen.undone:
        return Reading(0, "nothing had to be taken back")
    return Reading(1, seen.undone, action="find out why before the next attempt")


@check("RESTART-RESUMED", section=SECTION, unit="changes", source="information")
def resumed(seen: RestartFacts) -> Reading:
    """What a change that was killed had left, and was put right first."""
    return Reading(len(seen.resumed), "; ".join(seen.resumed) or "no killed change had left anything")
