"""Whether the configuration was put back, and what stood against it."""

from atomops.facts.configuration_restore import ConfigurationRestoreFacts, Deed, Fate, Restoration
from atomops.facts.outcome import Outcome
from atomops.humane import plural
from atomops.registry import check
from atomops.verdict import Evidence, Gap, NotSeen, Reading, Unseen

SECTION = "Configuration restore"
_SOURCE = "Atom Ops default"
_SHOWN = 80  # rows of evidence
_RESTART = "atomops run restart-service: running processes read their environment only when they start"


@check("CONFIG-RESTORE-RUN", section=SECTION, critical=1, unit="failures", source=_SOURCE)
def run(outcome: Outcome[ConfigurationRestoreFacts]) -> Reading:
    """The set could be chosen, read whole and decrypted; every object that it holds is named with what it needs."""
    if outcome.facts is None:
        return outcome.reachable("the restore")
    seen = outcome.facts
    rows = [row for each in seen.restorations for row in _rows(each, dry_run=seen.dry_run)]
    columns = ("object or file", "would" if seen.dry_run else "did", "field", "what")
    count = {deed: sum(each.deed is deed for each in seen.restorations) for deed in Deed}
    told = ", ".join(f"{number:,} to {deed}" for deed, number in count.items() if number and deed in _CHANGING)
    same = f", {count[Deed.NOTHING]:,} unchanged" if count[Deed.NOTHING] else ""
    done = len(seen.of(Fate.DONE))
    begin = "dry run: nothing was changed" if seen.dry_run else f"{done:,} put back"
    then = "; next: atomops run restart-service" if done and not seen.dry_run else ""
    summary = f"{begin}; {seen.set_id} from {seen.store}: {told or 'nothing to do'}{same}{then}"
    is_to_do = seen.dry_run and any(count[deed] for deed in _CHANGING)
    action = "read the plan; then the same with dry_run=false" if is_to_do else ""
    return Reading(0, summary, action=action, evidence=Evidence.of(columns, rows[:_SHOWN]) if rows else None)


@check("CONFIG-RESTORE-APPLIED", section=SECTION, unit="things", source="information")
def applied(seen: ConfigurationRestoreFacts) -> Reading | Gap:
    """What was put back, and where the former file is kept; the application is not restarted by it."""
    if seen.dry_run:
        return Gap(SECTION, "what came of it: a dry run changes nothing")
    done = seen.of(Fate.DONE)
    rows = [(each.name, each.deed, each.former, "; ".join(each.notes)) for each in done]
    evidence = Evidence.of(("object or file", "did", "former one", "notes"), rows[:_SHOWN]) if rows else None
    told = f"{plural(len(done), 'thing')} put back"
    return Reading(len(done), told, action=_RESTART if done else "", evidence=evidence)


@check("CONFIG-RESTORE-CONFLICT", section=SECTION, warning=1, unit="objects", source=_SOURCE)
def conflicts(seen: ConfigurationRestoreFacts) -> Reading:
    """No field that differs is managed by somebody else: kubectl, helm or a controller, which would set it again."""
    found = [each for each in seen.restorations if each.conflicts]
    if not found:
        return Reading(0, "nobody else manages what differs")
    did = "was taken over" if seen.take_over and not seen.dry_run else "would be taken over" if seen.take_over else ""
    told = f"{found[0].name} is managed by others too: {found[0].conflicts}" + (f"; {did}" if did else "")
    action = "" if seen.take_over else "if the set is right and they are not: take_over=true"
    rows = [(each.name, each.conflicts) for each in found]
    return Reading(len(found), told, action=action, evidence=Evidence.of(("object", "who and what"), rows[:_SHOWN]))


@check("CONFIG-RESTORE-FAILED", section=SECTION, critical=1, unit="things", source=_SOURCE)
def failed(seen: ConfigurationRestoreFacts) -> Reading:
    """Everything that the set holds was, or could be, put back; what was applied before a failure stays so."""
    found = seen.of(Fate.FAILED, Fate.NOT_REACHED)
    if not found:
        return Reading(0, "nothing was refused")
    rows = [(each.name, each.fate, each.reason, each.action) for each in found]
    done = ", ".join(each.name for each in seen.of(Fate.DONE)) or "nothing"
    told = f"{found[0].name}: {found[0].reason}" + (f", and {len(found) - 1:,} more" if len(found) > 1 else "")
    if not seen.dry_run:
        told += f"; put back: {done}"
    evidence = Evidence.of(("object or file", "", "why", "what to do"), rows[:_SHOWN])
    return Reading(len(found), told, action=found[0].action, evidence=evidence)


@check("CONFIG-RESTORE-SET-INCOMPLETE", section=SECTION, unit="things", source="unknown is never OK")
def incomplete(seen: ConfigurationRestoreFacts) -> Reading:
    """The set held everything when it was made; what it lacks, no restore brings back."""
    lacking = [each for each in seen.not_taken if each.why != "left out"]
    if lacking:
        names = ", ".join(each.name for each in lacking[:3])
        what = f"the set was made without {names}" + (" and others" if len(lacking) > 3 else "")  # noqa: PLR2004
        raise NotSeen(Unseen(f"{what}: {lacking[0].reason}", "look for an older set: atomops backups list"))
    return Reading(0, "the set is complete")


_CHANGING = (Deed.CREATE, Deed.CHANGE, Deed.BY_HAND, Deed.UNKNOWN)


def _rows(each: Restoration, *, dry_run: bool) -> list[tuple[str, str, str, str]]:
    did = str(each.deed) if dry_run or each.fate is Fate.PLANNED else f"{each.deed}: {each.fate}"
    rows = [(each.name, did, change.field, f"{change.what} {change.told}".strip()) for change in each.differences]
    rows += [(each.name, "stays", name, "is not in the set, and is not deleted") for name in each.stays]
    rows += [(each.name, "kept beside", "the former one", each.former)] if each.former else []
    return rows or [(each.name, did, "", each.reason)]
