"""The shipped alerting rules beside the profiles, the guide and the runbook, so that none of them drifts away."""

import pytest

from atomops.commands import promql
from atomops.commands.promql_names import metric_names
from atomops.profiles import load_profile
from atomops.profiles.profile import Histogram
from atomops.sandbox import alert_rules
from tests.prometheus_rules import AS_WRITTEN, PROFILES, ROOT, SHIPPED, alerts, cases, rules

JOB = 'job="atom"'
OTHERS = ("node_", "container_")  # of the node exporter and cAdvisor, which no profile describes
UNUSED = {"cache_hit_ratio", "active_workers", "queue_depth"}  # no alert of the guide is about them
PAGES = "https://runbooks.example.com/"
IN_THE_GUIDE = {"HighErrorRate", "HighLatency", "DatabaseConnectionFailure", "DiskSpaceLow", "HighMemoryUsage"}

files = pytest.mark.parametrize("profile", PROFILES)


@files
def test_the_rules_read_what_the_profile_names_and_nothing_else(profile: str) -> None:
    metrics = load_profile(profile).metrics.values()
    ours = {each.name for each in metrics} | {
        f"{each.name}_{part}" for each in metrics if isinstance(each, Histogram) for part in ("bucket", "count")
    }
    shipped = rules(SHIPPED / f"{profile}.rules.yml")
    recorded = {rule["record"] for rule in shipped if "record" in rule}
    read = frozenset[str]().union(*(metric_names(rule["expr"]) for rule in shipped))
    unknown = {name for name in read - ours - recorded - {"up"} if not name.startswith(OTHERS)}
    assert not unknown


@files
def test_every_metric_is_selected_as_the_profile_says(profile: str) -> None:
    shipped = " ".join(rule["expr"] for rule in rules(SHIPPED / f"{profile}.rules.yml"))
    for name, metric in load_profile(profile).metrics.items():
        if name not in UNUSED:
            suffix = "_bucket" if isinstance(metric, Histogram) else ""
            assert promql.selector(metric, suffix, JOB) in shipped, name


@files
def test_every_alert_says_what_it_is_where_to_read_on_and_what_to_do(profile: str) -> None:
    for alert in alerts(SHIPPED / f"{profile}.rules.yml"):
        told = alert["annotations"]
        assert set(told) >= {"summary", "description", "runbook_url"}, alert["alert"]
        page = told["runbook_url"].removeprefix(PAGES)
        assert (ROOT / "docs" / "runbook" / page).exists(), page
        if alert["alert"] != "Watchdog":
            first = {"critical": "Acknowledge the alert immediately", "warning": "Acknowledge the alert."}
            assert first.get(alert["labels"]["severity"], "Acknowledge the alert.") in told["response"]


def test_both_files_have_the_guides_five_alerts_by_their_names() -> None:
    named = {profile: {alert["alert"] for alert in alerts(SHIPPED / f"{profile}.rules.yml")} for profile in PROFILES}
    assert named["atom"] == named["guide"]
    assert named["guide"] >= IN_THE_GUIDE
    assert {alert["alert"] for alert in alerts(AS_WRITTEN / "guide-as-written.rules.yml")} == IN_THE_GUIDE


def test_the_guides_own_rules_answer_every_case_of_theirs_otherwise_than_ours() -> None:
    ours, theirs = cases(SHIPPED / "tests" / "guide.test.yml"), cases(AS_WRITTEN / "guide-as-written.test.yml")
    assert len(theirs) == 8
    for name, case in theirs.items():
        assert case["input_series"] == ours[name]["input_series"], name
        answers = [each["promql_expr_test"][0] for each in (case, ours[name])]
        assert answers[0]["expr"] == answers[1]["expr"], name
        everything = [[each["exp_samples"] for each in both["promql_expr_test"]] for both in (case, ours[name])]
        assert everything[0] != everything[1], name


def test_the_sandbox_runs_the_shipped_rules_on_the_application() -> None:
    shipped = {rule["expr"] for rule in rules(alert_rules.SHIPPED)}
    mine = alert_rules.rules()
    assert {rule["expr"] for rule in mine} <= shipped
    assert {"HighErrorRate", "Watchdog"} <= {rule.get("alert") for rule in mine}
    assert {rule.get("for") for rule in mine} == {None, "10s"}
