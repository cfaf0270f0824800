"""What the checks make of a backup of the configuration, of its age, and of a restore."""

import datetime as dt
from dataclasses import replace
from typing import Any

from atomops.facts.backup import BackupSet, Manifest, Proof, Result
from atomops.facts.configuration import Configuration, Difference, NotTaken, Why
from atomops.facts.configuration_backup import ConfigurationAge, ConfigurationFacts, NewestConfiguration, Taken
from atomops.facts.configuration_restore import ConfigurationRestoreFacts, Deed, Fate, Restoration
from atomops.facts.nightly import Pruning, Stored
from atomops.facts.outcome import Outcome
from atomops.plans.retention import Refusal
from atomops.registry import checks, judge_all
from atomops.stores.manifests import decode_manifest, encode
from atomops.verdict import Finding, Gap, Level, Unseen
from tests.backup_sets import NIGHT

GONE = Unseen("the disk is gone", "mount it")


def proof(result: Result = Result.READ, reason: str = "2 objects decrypted") -> Proof:
    return Proof(result, NIGHT, "here", files=2, bytes=10, seconds=1, reason=reason, action="look")


WELL = ConfigurationFacts(
    at=NIGHT,
    dry_run=False,
    runtime="deployment a/a",
    set_id="configuration-2",
    recipients=1,
    taken=(Taken("Secret/a", "secret/a.yaml.age", 300, is_secret=True, notes=("immutable",)),),
    not_taken=(NotTaken("Secret/b", Why.BY_INTENTION, "a token"),),
    compared_with="configuration-1",
    differences=(
        Difference("Deployment/a", "spec.replicas", "changed", "2 → 3", is_striking=True),
        Difference("ConfigMap/x", "", "removed"),
    ),
    stored=(Stored("/backups", proof=proof()),),
    prunings=(Pruning("/backups", kept=3, removed=("configuration-0",), retained={"r": "locked"}, failed={"f": "no"}),),
)


def judged(facts: Any) -> tuple[dict[str, Finding], dict[str, str]]:  # noqa: ANN401 - of three types
    found, gaps = judge_all(checks(), {type(facts): Outcome("configuration", 2, facts=facts)}, {}, {})
    return {each.code: each for each in found}, {each.reason: each.section for each in gaps}


def bad(facts: Any) -> dict[str, Level]:  # noqa: ANN401 - of three types
    return {code: each.level for code, each in judged(facts)[0].items() if each.level is not Level.OK}


def test_a_whole_backup_is_ok_and_shows_what_it_holds_and_what_is_new() -> None:
    found, gaps = judged(WELL)
    assert {each.level for each in found.values()} == {Level.OK}
    assert not gaps
    run = found["CONFIG-RUN"]
    assert (
        "1 object or file of deployment a/a, encrypted for 1 key, in 2.0 s; 2 differences to the last set"
        in run.summary
    )
    assert run.evidence is not None
    assert run.evidence.rows[1] == ("Deployment/a", "", "", "replicas 2 → 3", "")
    assert found["CONFIG-CHANGED"].summary.endswith("Deployment/a spec.replicas 2 → 3")
    assert "1 left out on purpose" in found["CONFIG-INCOMPLETE"].summary
    assert found["CONFIG-PROOF-FAILED"].summary.endswith("read again, 2 files whole; 2 objects decrypted")
    quiet, _ = judged(replace(WELL, differences=(), not_taken=(), prunings=(), taken=(), recipients=0))
    assert quiet["CONFIG-RUN"].summary.endswith("not encrypted, in 2.0 s; nothing new")
    assert quiet["CONFIG-CHANGED"].summary == "nothing has changed since configuration-1"
    changed, _ = judged(replace(WELL, differences=(Difference("ConfigMap/x", "data.a", "added"),)))
    assert changed["CONFIG-CHANGED"].summary.endswith("ConfigMap/x data.a added")


def test_what_is_not_in_the_set_is_told_by_what_kept_it_out() -> None:
    def lacking(why: Why, number: int = 1) -> ConfigurationFacts:
        return replace(WELL, not_taken=tuple(NotTaken(f"Secret/{n}", why, "because", "do this") for n in range(number)))

    assert bad(lacking(Why.UNKNOWN)) == {"CONFIG-INCOMPLETE": Level.UNKNOWN}
    assert bad(lacking(Why.REFUSED)) == {"CONFIG-SECRETS-REFUSED": Level.CRITICAL}
    assert bad(lacking(Why.MISSING)) == {"CONFIG-MISSING": Level.WARNING}
    many, _ = judged(lacking(Why.REFUSED, 5))
    assert many["CONFIG-SECRETS-REFUSED"].summary.startswith("no backup of Secret/0, Secret/1, Secret/2, and 2 more")
    assert judged(lacking(Why.UNKNOWN, 2))[0]["CONFIG-INCOMPLETE"].summary.endswith("because, and 1 more")


def test_stores_and_proofs_that_fail_are_critical_and_unknown_comparisons_unknown() -> None:
    assert bad(replace(WELL, stored=(Stored("/backups", problem=GONE),))) == {"CONFIG-STORE-FAILED": Level.CRITICAL}
    damaged = Stored("/backups", proof=proof(Result.FAILED, "a byte"))
    assert bad(replace(WELL, stored=(damaged,))) == {"CONFIG-PROOF-FAILED": Level.CRITICAL}
    assert bad(replace(WELL, differences=GONE)) == {"CONFIG-CHANGED": Level.UNKNOWN}
    unlisted = replace(WELL, prunings=(Pruning("/backups", problem=GONE),))
    assert bad(unlisted) == {"CONFIG-PRUNED": Level.UNKNOWN}
    held = Pruning("/a", due=("x",), held_back="not whole")
    refused = Pruning("/b", due=("x",), refusals=(Refusal("a clock", "set it"),))
    assert bad(replace(WELL, prunings=(held, refused))) == {"CONFIG-PRUNE-REFUSED": Level.WARNING}
    failed, _ = judge_all(checks(), {ConfigurationFacts: Outcome("configuration", 2, unseen=GONE)}, {}, {})
    assert [each.code for each in failed if each.level is Level.CRITICAL] == ["CONFIG-RUN"]


def test_a_dry_run_and_a_first_set_have_less_to_say() -> None:
    dry = replace(
        WELL,
        dry_run=True,
        set_id="",
        stored=(),
        compared_with="",
        differences=(),
        prunings=(Pruning("/a", due=("x",)),),
    )
    found, gaps = judged(dry)
    assert found["CONFIG-RUN"].summary.startswith("dry run: nothing was written;")
    assert set(gaps) == {
        "changes: this is the first set",
        "stores: a dry run keeps nothing",
        "proofs: there is no new set to read again",
    }
    assert found["CONFIG-PRUNED"].evidence is not None


def test_the_newest_set_must_be_young_complete_and_read_again() -> None:
    young = NewestConfiguration("/a", NIGHT - dt.timedelta(hours=15))
    late = NewestConfiguration("/b", NIGHT - dt.timedelta(hours=31))
    well = ConfigurationAge(NIGHT, 24, (young,))
    assert not bad(well)
    expected = "the newest set in /a: 15 hours old; one is expected every 1 day"
    assert judged(well)[0]["CONFIG-AGE"].summary == expected
    assert bad(replace(well, stores=(young, late))) == {"CONFIG-AGE": Level.WARNING}
    assert bad(replace(well, stores=(young, NewestConfiguration("/c", None)))) == {"CONFIG-AGE": Level.CRITICAL}
    assert bad(replace(well, stores=(young, NewestConfiguration("/c", GONE)))) == {"CONFIG-AGE": Level.UNKNOWN}
    assert bad(replace(well, stores=(late, NewestConfiguration("/c", GONE)))) == {"CONFIG-AGE": Level.WARNING}
    half = replace(young, is_complete=False, is_proven=False)
    assert bad(replace(well, stores=(half,))) == {"CONFIG-NEWEST-WHOLE": Level.WARNING}
    assert judged(replace(well, stores=(half,)))[0]["CONFIG-NEWEST-WHOLE"].summary.endswith("incomplete, not proven")
    assert bad(replace(well, stores=(NewestConfiguration("/c", GONE),))) == {"CONFIG-AGE": Level.UNKNOWN}


DONE = Restoration(
    "ConfigMap/a",
    "ConfigMap",
    Deed.CHANGE,
    (Difference("ConfigMap/a", "data.x", "changed", "1 → 2"),),
    ("data.y",),
    fate=Fate.DONE,
)
RESTORED = ConfigurationRestoreFacts(NIGHT, False, "configuration-1", NIGHT, "/backups", False, (DONE,))  # noqa: FBT003 - as they come


def test_a_restore_shows_every_field_and_what_stays() -> None:
    found, _ = judged(RESTORED)
    assert {each.level for each in found.values()} == {Level.OK}
    run = found["CONFIG-RESTORE-RUN"]
    assert run.evidence is not None
    assert run.evidence.rows == (
        ("ConfigMap/a", "change: done", "data.x", "changed 1 → 2"),
        ("ConfigMap/a", "stays", "data.y", "is not in the set, and is not deleted"),
    )
    assert run.summary.endswith("1 to change; next: atomops run restart-service")
    assert "restart-service" in found["CONFIG-RESTORE-APPLIED"].action
    kept, _ = judged(replace(RESTORED, restorations=(replace(DONE, former="/a.before"),)))
    shown = kept["CONFIG-RESTORE-RUN"].evidence
    assert shown is not None
    assert shown.rows[-1] == ("ConfigMap/a", "kept beside", "the former one", "/a.before")
    same, _ = judged(replace(RESTORED, restorations=(replace(DONE, deed=Deed.NOTHING, fate=Fate.PLANNED),)))
    assert same["CONFIG-RESTORE-RUN"].summary.endswith("nothing to do, 1 unchanged")
    nothing, _ = judged(replace(RESTORED, restorations=()))
    assert nothing["CONFIG-RESTORE-APPLIED"].evidence is None
    dry, gaps = judged(replace(RESTORED, dry_run=True, restorations=(replace(DONE, fate=Fate.PLANNED),)))
    assert "dry_run=false" in dry["CONFIG-RESTORE-RUN"].action
    assert "what came of it: a dry run changes nothing" in gaps
    failed, _ = judge_all(checks(), {ConfigurationRestoreFacts: Outcome("restore", 2, unseen=GONE)}, {}, {})
    assert [each.code for each in failed if each.level is Level.CRITICAL] == ["CONFIG-RESTORE-RUN"]


def test_conflicts_refusals_and_an_incomplete_set_are_told() -> None:
    disputed = replace(DONE, conflicts="conflict with kubectl", fate=Fate.FAILED, reason="conflict", action="take_over")
    assert bad(replace(RESTORED, restorations=(DONE, disputed))) == {
        "CONFIG-RESTORE-CONFLICT": Level.WARNING,
        "CONFIG-RESTORE-FAILED": Level.CRITICAL,
    }
    found, _ = judged(replace(RESTORED, restorations=(DONE, disputed, replace(disputed, fate=Fate.NOT_REACHED))))
    assert found["CONFIG-RESTORE-FAILED"].summary == "ConfigMap/a: conflict, and 1 more; put back: ConfigMap/a"
    for dry_run, did in ((True, "would be taken over"), (False, "was taken over")):
        taken = replace(RESTORED, take_over=True, dry_run=dry_run, restorations=(disputed,))
        assert judged(taken)[0]["CONFIG-RESTORE-CONFLICT"].summary.endswith(did)
    lacking = tuple(NotTaken(f"Secret/{n}", Why.UNKNOWN, "forbidden") for n in range(4))
    for number, words in ((1, "without Secret/0: forbidden"), (4, "Secret/2 and others: forbidden")):
        incomplete = replace(RESTORED, not_taken=lacking[:number])
        assert bad(incomplete) == {"CONFIG-RESTORE-SET-INCOMPLETE": Level.UNKNOWN}
        assert judged(incomplete)[0]["CONFIG-RESTORE-SET-INCOMPLETE"].summary.endswith(words)


def test_a_set_of_a_configuration_is_proven_when_it_is_complete_and_was_read_again() -> None:
    known = Configuration("a", ())
    whole = Manifest("id", "test", "configuration", NIGHT, (), configuration=known)
    assert BackupSet(whole, proof()).is_proven
    assert BackupSet(whole, proof(Result.INTACT)).is_proven
    assert not BackupSet(whole, proof(Result.FAILED)).is_proven
    assert not BackupSet(whole).is_proven
    partial = replace(known, not_taken=(NotTaken("a", Why.UNKNOWN, "b"),))
    assert not BackupSet(replace(whole, configuration=partial), proof()).is_proven
    assert b'"origin"' not in encode(whole)
    assert decode_manifest(encode(whole), "id") == whole
    assert "; " not in replace(proof(), reason="").sentence


def test_gaps_are_of_their_section() -> None:
    assert (
        Gap("Configuration", "stores: a dry run keeps nothing")
        in judge_all(checks(), {ConfigurationFacts: Outcome("c", 1, facts=replace(WELL, dry_run=True))}, {}, {})[1]
    )
