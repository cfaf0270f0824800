"""Whether the configuration is backed up: all of it, encrypted, kept everywhere, proven; and what has changed."""

from atomops.facts.backup import Result
from atomops.facts.configuration import Difference, NotTaken, Why
from atomops.facts.configuration_backup import ConfigurationFacts
from atomops.facts.outcome import Outcome
from atomops.humane import plural, size, span
from atomops.registry import check
from atomops.verdict import Evidence, Gap, NotSeen, Reading, Unseen, known

SECTION = "Configuration"
_GUIDE = "operations guide (configuration backup)"
_DEFAULT = "Atom Ops default"
_SHOWN = 60  # rows of evidence
_SINCE = "since the last set"
_TOLD = ("what", "why", "what to do")


@check("CONFIG-RUN", section=SECTION, critical=1, unit="failures", source=_GUIDE)
def run(outcome: Outcome[ConfigurationFacts]) -> Reading:
    """The configuration could be looked at: the runtime answers, and nobody else is changing the target."""
    if outcome.facts is None:
        return outcome.reachable("the configuration")
    seen = outcome.facts
    changes = _changes_by_item(seen)
    rows = [
        (each.name, size(each.bytes), each.place, changes.pop(each.name, ""), "; ".join(each.notes))
        for each in seen.taken
    ]
    rows += [(name, "", "", told, "") for name, told in changes.items()]
    columns = ("object or file", "size", "would be written to" if seen.dry_run else "in the set", _SINCE, "notes")
    readers = f"encrypted for {plural(seen.recipients, 'key')}" if seen.recipients else "not encrypted"
    things = plural(len(seen.taken), "object or file").replace("object or files", "objects and files")
    done = "dry run: nothing was written;" if seen.dry_run else f"{seen.set_id}:"
    told = f"{done} {things} of {seen.runtime}, {readers}, in {span(outcome.seconds)}{_news(seen)}"
    return Reading(0, told, evidence=Evidence.of(columns, rows[:_SHOWN]) if rows else None)


@check("CONFIG-INCOMPLETE", section=SECTION, unit="things", source="unknown is never OK")
def unknown(seen: ConfigurationFacts) -> Reading:
    """Everything that belongs to the configuration could be read; what we may not look at is named with the right."""
    found = seen.without(Why.UNKNOWN)
    if not found:
        left = seen.without(Why.BY_INTENTION)
        rows = [(each.name, each.reason) for each in left]
        told = "everything that belongs to it could be read" + (f"; {len(left):,} left out on purpose" if left else "")
        return Reading(0, told, evidence=Evidence.of(("left out", "why"), rows[:_SHOWN]) if rows else None)
    told = f"the set is incomplete: {found[0].name}: {found[0].reason}{_more(found)}"
    return Reading(None, told, action=found[0].action, evidence=_evidence(found))


@check("CONFIG-SECRETS-REFUSED", section=SECTION, critical=1, unit="things", source=_DEFAULT)
def refused(seen: ConfigurationFacts) -> Reading:
    """Everything secret is in the set, encrypted. Without a recipient it is not written at all, and so in no backup."""
    found = seen.without(Why.REFUSED)
    if not found:
        secret = sum(each.is_secret for each in seen.taken)
        return Reading(0, f"{plural(secret, 'secret thing')} in the set" + (", encrypted" if secret else ""))
    names = ", ".join(each.name for each in found[:3])
    told = f"no backup of {names}{_more(found, 3)}: secret, and nobody to encrypt for"
    return Reading(len(found), told, action=found[0].action, evidence=_evidence(found))


@check("CONFIG-MISSING", section=SECTION, warning=1, unit="things", source=_DEFAULT)
def missing(seen: ConfigurationFacts) -> Reading:
    """Every object that the workload names is there, and every file that the inventory names."""
    found = seen.without(Why.MISSING)
    if not found:
        return Reading(0, "everything that is named exists")
    told = f"{found[0].name}: {found[0].reason}{_more(found)}"
    return Reading(len(found), told, action=found[0].action, evidence=_evidence(found))


@check("CONFIG-CHANGED", section=SECTION, unit="differences", source="information")
def changed(seen: ConfigurationFacts) -> Reading | Gap:
    """What is another one than in the last set is told by name; replicas and images first, secret values never."""
    found = known(seen.differences)
    if not seen.compared_with:
        return Gap(SECTION, "changes: this is the first set")
    if not found:
        return Reading(0, f"nothing has changed since {seen.compared_with}")
    rows = [(each.item, each.field, each.what, each.told) for each in found]
    told = f"{plural(len(found), 'difference')} to {seen.compared_with}: {_first(found)}"
    return Reading(len(found), told, evidence=Evidence.of(("object or file", "field", "", "what"), rows[:_SHOWN]))


@check("CONFIG-STORE-FAILED", section=SECTION, critical=1, unit="stores", source=_GUIDE)
def failed_stores(seen: ConfigurationFacts) -> Reading | Gap:
    """The new set lies in every store, and can be read again there."""
    if seen.dry_run:
        return Gap(SECTION, "stores: a dry run keeps nothing")
    failed = [(each.store, each.problem) for each in seen.stored if each.problem]
    if not failed:
        return Reading(0, f"the new set lies in {', '.join(each.store for each in seen.stored)}")
    store, problem = failed[0]
    rows = [(name, each.reason, each.action) for name, each in failed]
    told = f"{store} has no new set: {problem.reason}"
    return Reading(len(failed), told, action=problem.action, evidence=Evidence.of(("store", *_TOLD[1:]), rows))


@check("CONFIG-PROOF-FAILED", section=SECTION, critical=1, unit="sets", source="a backup is one that can be read")
def failed_proofs(seen: ConfigurationFacts) -> Reading | Gap:
    """Every file of the new set was read from every store as it was written, and decrypted where a key is at hand."""
    proofs = [(each.store, each.proof) for each in seen.stored if each.proof]
    if not proofs:
        return Gap(SECTION, "proofs: there is no new set to read again")
    failed = [(store, proof) for store, proof in proofs if proof.result is Result.FAILED]
    rows = [(store, proof.sentence, span(proof.seconds)) for store, proof in proofs]
    evidence = Evidence.of(("store", "proof", "took"), rows)
    if failed:
        told = f"the new set in {failed[0][0]} is damaged: {failed[0][1].reason}"
        return Reading(len(failed), told, action=failed[0][1].action, evidence=evidence)
    return Reading(0, f"the new set in {proofs[0][0]} was {proofs[0][1].sentence}", evidence=evidence)


@check("CONFIG-PRUNED", section=SECTION, unit="sets", source="operations guide (30 days)")
def pruned(seen: ConfigurationFacts) -> Reading:
    """What went, by the rules of the stores, and what stays; in a dry run, what would."""
    if unlisted := next((each.problem for each in seen.prunings if each.problem), None):
        raise NotSeen(unlisted)
    rows = [(each.store, name, "removed") for each in seen.prunings for name in each.removed]
    rows += [(each.store, name, f"retained: {why}") for each in seen.prunings for name, why in each.retained.items()]
    rows += [(each.store, name, f"failed: {why}") for each in seen.prunings for name, why in each.failed.items()]
    if seen.dry_run:
        rows += [(each.store, name, "would go") for each in seen.prunings for name in each.due]
    removed = sum(len(each.removed) for each in seen.prunings)
    told = f"{plural(removed, 'set')} pruned, {sum(each.kept for each in seen.prunings):,} kept"
    evidence = Evidence.of(("store", "set", "what became of it"), rows[:_SHOWN]) if rows else None
    return Reading(removed, told, evidence=evidence)


@check("CONFIG-PRUNE-REFUSED", section=SECTION, warning=1, unit="refusals", source=_DEFAULT)
def prune_refused(seen: ConfigurationFacts) -> Reading:
    """Nothing is pruned when that could cost the last good set; then this says why."""
    rows = [
        (each.store, each.held_back, "see the findings of the backup itself")
        for each in seen.prunings
        if each.held_back
    ]
    rows += [(each.store, why.reason, why.action) for each in seen.prunings for why in each.refusals]
    if not rows:
        return Reading(0, "nothing stood against pruning")
    told = f"nothing pruned in {rows[0][0]}: {rows[0][1]}"
    return Reading(len(rows), told, action=rows[0][2], evidence=Evidence.of(("store", *_TOLD[1:]), rows[:_SHOWN]))


def _evidence(found: tuple[NotTaken, ...]) -> Evidence:
    return Evidence.of(_TOLD, ((each.name, each.reason, each.action) for each in found[:_SHOWN]))


def _more(found: tuple[NotTaken, ...], shown: int = 1) -> str:
    return f", and {len(found) - shown:,} more" if len(found) > shown else ""


def _first(found: tuple[Difference, ...]) -> str:
    first = found[0]
    where = f"{first.item} {first.field}".strip()
    return f"{where} {first.told if first.is_striking else first.what}"


def _news(seen: ConfigurationFacts) -> str:
    """What is new, in short: somebody who reads one line wants to know it."""
    if isinstance(seen.differences, Unseen) or not seen.compared_with:
        return ""
    return f"; {plural(len(seen.differences), 'difference')} to the last set" if seen.differences else "; nothing new"


def _changes_by_item(seen: ConfigurationFacts) -> dict[str, str]:
    told: dict[str, list[str]] = {}
    for each in () if isinstance(seen.differences, Unseen) else seen.differences:
        what = each.told if each.is_striking else each.what
        told.setdefault(each.item, []).append(f"{each.field.split('.')[-1]} {what}".strip())
    return {name: ", ".join(changes) for name, changes in told.items()}
