"""What the checks say of incidents, of what was changed before, and of messages that are owed."""

import datetime as dt
from dataclasses import replace

from atomops.facts.incidents import IncidentFacts, NotifyFacts, Owed, RecentChange, Spooled
from atomops.facts.outcome import Outcome
from atomops.facts.restore import Step
from atomops.inventory import Target
from atomops.plans.rollback import ways_back
from atomops.plans.telling import identity
from atomops.probes.parts import INCIDENTS, NOTIFY
from atomops.registry import checks, judge_all
from atomops.verdict import Finding, Level, Unseen
from tests.samples import NINE
from tests.targets import findings
from tests.unit.test_telling import facts, incident


def judged(seen: IncidentFacts) -> tuple[dict[str, Finding], list[str]]:
    mine = [each for each in checks() if each.facts is IncidentFacts]
    found, gaps = judge_all(mine, {IncidentFacts: Outcome("incidents", 0.1, facts=seen)}, {}, {})
    return {each.code: each for each in found}, [gap.reason for gap in gaps]


def test_nothing_open_is_ok_and_nothing_is_looked_into() -> None:
    found, gaps = judged(facts())
    assert {each.level for each in found.values()} == {Level.OK}
    assert gaps == [
        "what fires now: only the webhook tells us; name prometheus.alertmanager_url to ask as well",
        "no alert is open",
        "the release: no alert is open",
        "going back: no alert is open",
    ]
    assert findings(INCIDENTS, facts())["INCIDENT-KEPT"].level is Level.OK


def test_where_nobody_would_have_told_us_silence_is_unknown() -> None:
    found, _ = judged(replace(facts(), is_heard=False))
    for code in ("INCIDENT-CRITICAL", "INCIDENT-WARNING"):
        assert found[code].level is Level.UNKNOWN
        assert "nobody could be asked what fires" in found[code].summary
    away, _ = judged(replace(facts(), is_heard=False, unasked=Unseen("Alertmanager is away", "look at it")))
    assert away["INCIDENT-CRITICAL"].summary == "Alertmanager is away"


def test_a_critical_alert_is_critical_and_says_what_it_says() -> None:
    critical = incident()
    found, _ = judged(facts(critical, new=(identity(critical),), runs="unit atom: 1 of 1 ready"))
    assert found["INCIDENT-CRITICAL"].level is Level.CRITICAL
    assert found["INCIDENT-CRITICAL"].summary == "HighErrorRate fires, for 2 hours: HighErrorRate is bad"
    assert found["INCIDENT-ACKNOWLEDGED"].summary == "1 new alert acknowledged, HighErrorRate 0 ms after it began"
    assert found["ALERT-RELEASE"].summary == "unit atom: 1 of 1 ready"
    untold, _ = judged(facts(critical, on_call=()))
    assert untold["INCIDENT-CRITICAL"].action.endswith("nobody has been told: name channels in […notify]")


def test_warnings_that_persist_want_a_ticket() -> None:
    slow = [incident(f"Slow{number}", "warning", key=str(number), ticket=NINE) for number in range(7)]
    found, _ = judged(facts(*slow))
    assert found["INCIDENT-WARNING"].level is Level.WARNING
    assert found["INCIDENT-PERSISTS"].level is Level.WARNING
    assert found["INCIDENT-PERSISTS"].summary.startswith("7 warnings last longer than 1 hour: Slow0, Slow1")
    assert found["INCIDENT-PERSISTS"].summary.endswith("and 2 more")
    evidence = found["INCIDENT-WARNING"].evidence
    assert evidence is not None
    assert evidence.rows[0][-1] == "ticket written, acknowledged 2026-11-24T06:00:03Z"
    one, _ = judged(facts(slow[0]))
    assert one["INCIDENT-PERSISTS"].summary.startswith("1 warning lasts longer")


def test_what_has_ended_is_told() -> None:
    over = incident(ended=NINE, told=NINE)
    found, _ = judged(facts(over))
    assert found["INCIDENT-RESOLVED"].summary == "1 alert ended: HighErrorRate"
    assert found["INCIDENT-RESOLVED"].evidence is not None


def test_files_of_the_spool_that_say_nothing_are_named() -> None:
    found, _ = judged(facts(spooled=Spooled(3, 9, 2, ("x.json: no JSON",))))
    assert found["INCIDENT-SPOOL-BROKEN"].level is Level.WARNING
    assert found["INCIDENT-SPOOL-BROKEN"].summary == (
        "1 file of the spool cannot be read; 3 payloads with 9 alerts handled, 2 of them known already"
    )


def test_who_could_not_be_asked_is_unknown() -> None:
    found, _ = judged(facts(unasked=Unseen("Alertmanager refuses us", "check it")))
    assert found["INCIDENT-SOURCES"].level is Level.UNKNOWN
    asked, _ = judged(facts(asked=("Alertmanager http://am",)))
    assert asked["INCIDENT-SOURCES"].summary == "Alertmanager http://am says what fires now"


def test_changes_and_the_way_back_are_shown_for_what_is_open() -> None:
    change = RecentChange(NINE, "migrate-database", "ada", "done", "upgrade to 29c0")
    back = (Step("back", "kubectl rollout undo deployment/atom"),)
    none = "nothing says what runs the application of berlin"
    found, gaps = judged(facts(incident(), changes=(change,), rollback=back, runs=Unseen(none)))
    assert found["ALERT-CHANGES"].summary.endswith("the latest: migrate-database at 2026-11-24T08:00:03Z (done)")
    assert found["ALERT-ROLLBACK"].evidence is not None
    assert "ALERT-RELEASE" not in found
    assert "the release: not configured: the inventory has no […runtime]" in gaps
    unseen, _ = judged(facts(incident(), changes=Unseen("no"), runs=Unseen("refused")))
    assert {unseen[code].level for code in ("ALERT-CHANGES", "ALERT-RELEASE")} == {Level.UNKNOWN}
    calm, _ = judged(facts(incident()))
    assert calm["ALERT-CHANGES"].summary == "Atom Ops changed nothing within 1 day before the first alert"


def test_the_way_back_names_the_exact_commands() -> None:
    runtime = {"kind": "kubernetes", "deployment": "atom", "namespace": "prod"}
    on_kubernetes = Target(name="berlin", runtime=runtime)
    steps = ways_back(on_kubernetes, (), ("4 (atom:2)", "3 (atom:1)"))
    assert [step.exactly for step in steps] == [
        "kubectl --namespace prod rollout history deployment/atom",
        "kubectl --namespace prod rollout undo deployment/atom --to-revision=3",
        "kubectl --namespace prod rollout status deployment/atom --timeout=300s",
    ]
    stateful = Target(name="berlin", runtime={"kind": "kubernetes", "statefulset": "atom"})
    assert ways_back(stateful, ())[1].exactly == "kubectl --namespace default rollout undo statefulset/atom"
    (unit,) = ways_back(Target(name="rome", runtime={"kind": "systemd", "unit": "atom.service"}), ())
    assert "atomops run restart-service --target rome" in unit.exactly
    (nothing,) = ways_back(Target(name="rome"), ())
    assert "names no runtime" in nothing.exactly


def test_the_last_migration_and_restore_have_a_way_back_of_their_own() -> None:
    migrated = RecentChange(NINE, "migrate-database", "ada", "done", "upgrade")
    restored = RecentChange(NINE, "restore-database", "ada", "done")
    earlier = replace(migrated, at=NINE - dt.timedelta(hours=1))
    _, *steps = ways_back(Target(name="rome"), (earlier, migrated, restored))
    assert [step.exactly for step in steps] == [
        "atomops run migrate-database --target rome --set action=show",
        "atomops run migrate-database --target rome --set action=downgrade --set revision=REVISION --set dry_run=true",
        "atomops run restore-database --target rome --set backup=before:2026-11-24T08:00:03Z --set dry_run=true",
        "atomops replaced list --target rome",
        "atomops run restore-database --target rome --set backup=previous --set dry_run=true",
    ]


def test_messages_that_are_owed_are_a_warning_with_the_channels_own_words() -> None:
    owed = Owed("k", "slack-webhook/us", "CRITICAL: x", "body", NINE - dt.timedelta(hours=1), 2, "refused")
    found = findings(NOTIFY, NotifyFacts(NINE, ("slack-webhook/us",), (owed, replace(owed, error=""))))["NOTIFY-OWED"]
    assert found.level is Level.WARNING
    assert found.summary == "2 messages could not be delivered to slack-webhook/us, for 1 hour"
    assert found.evidence is not None
    assert [row[-1] for row in found.evidence.rows] == ["refused", "not tried yet"]
    assert findings(NOTIFY, NotifyFacts(NINE, ("a/b",)))["NOTIFY-OWED"].level is Level.OK
