import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from atomops.errors import BadAnswer
from atomops.reports.json import from_json, to_json
from atomops.reports.report import Report
from atomops.verdict import Acknowledgement, Level
from tests.samples import bad_morning, finding, report_of, reports

# Section 3 of the design, word for word: scripts rely on it.
SAMPLE = """
{"schema": 1, "flow": "morning-checklist", "target": "production", "level": "WARNING", "grade": "B",
 "started_at": "2026-11-24T09:00:00Z", "finished_at": "2026-11-24T09:00:03Z", "summary": "one sentence",
 "changes": {"new": ["LOG-ERRORS-NEW"], "worse": [], "better": [], "resolved": [], "unchanged": 41},
 "findings": [{"code": "HTTP-LATENCY-P95", "section": "Metrics", "level": "WARNING", "summary": "P95 latency is 1.4 s",
   "observed": 1.4, "unit": "s", "warning": 1.0, "critical": 2.0, "source": "operations guide",
   "evidence": {"columns": ["..."], "rows": [["..."]]}, "action": "what to do next",
   "runbook": "docs/runbook/http-latency-p95.md", "acknowledged": null}],
 "not_checked": [{"section": "TLS", "reason": "not configured"}],
 "trends": {"http.request_rate": [["2026-11-24T09:00:03Z", 12.3]]},
 "run": {"flow_run_id": "...", "host": "...", "versions": {}}}
"""


def test_the_sample_of_the_design_is_read_and_written_as_it_stands() -> None:
    written = to_json(from_json(SAMPLE.encode()))
    assert json.loads(written) == json.loads(SAMPLE)
    assert list(json.loads(written)) == list(json.loads(SAMPLE))
    assert list(json.loads(written)["findings"][0]) == list(json.loads(SAMPLE)["findings"][0])


def test_an_acknowledgement_says_why_and_until_when() -> None:
    known = {"PG-XID-AGE": Acknowledgement("known", "2030-01-01")}
    written = json.loads(to_json(report_of(finding(level=Level.WARNING), acknowledgements=known)))
    assert written["findings"][0]["acknowledged"] == {"reason": "known", "until": "2030-01-01"}


def test_a_report_that_was_read_back_is_the_same_to_the_second() -> None:
    report = bad_morning()
    read = from_json(to_json(report))
    assert read == replace(report, finished_at=report.finished_at.replace(microsecond=0))


@given(reports())
@settings(max_examples=40)
def test_any_report_is_valid_json_and_can_be_read_back(report: Report) -> None:
    written = to_json(report)
    json.loads(written, parse_constant=_refuse)
    assert to_json(from_json(written)) == written


def _refuse(constant: str) -> Any:  # noqa: ANN401 - the type of json's own hook
    raise AssertionError(constant)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_null(value: float) -> None:
    written = json.loads(to_json(report_of(finding(observed=value, critical=value))))
    assert written["findings"][0]["observed"] is None
    assert written["findings"][0]["critical"] is None
    assert written["trends"] == {}


def test_a_report_of_a_later_schema_says_which_version_can_read_it() -> None:
    with pytest.raises(BadAnswer, match="a report of schema 2, not 1: read it with the version of Atom Ops"):
        from_json(SAMPLE.replace('"schema": 1', '"schema": 2').encode())


def test_a_key_that_a_later_version_adds_does_no_harm() -> None:
    assert from_json(SAMPLE.replace('"schema": 1,', '"schema": 1, "mood": "good",').encode()).grade == "B"


@pytest.mark.parametrize(
    ("damaged", "complaint"),
    [
        (b"", "not a report"),
        (b"\x00\xff", "not a report"),
        (SAMPLE.encode()[:700], "not a report"),
        (b"[]", "schema 'list', not 1"),
        (b"{}", "schema None, not 1"),
        (b'{"schema": 1}', "not a report: flow"),
        (SAMPLE.replace('"WARNING", "grade"', '"FINE", "grade"').encode(), "not a report: level"),
        (SAMPLE.replace("09:00:03Z", "09:00:03").encode(), "not a report: finished_at"),
        (SAMPLE.replace("12.3", "null").encode(), "not a report: trends"),
    ],
)
def test_a_damaged_report_is_refused_in_one_line(damaged: bytes, complaint: str) -> None:
    with pytest.raises(BadAnswer, match=complaint) as caught:
        from_json(damaged)
    assert "\n" not in str(caught.value)
