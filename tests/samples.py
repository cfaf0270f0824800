"""Reports to test with: one as rich as a bad morning, and any report at all."""

import datetime as dt
from collections.abc import Mapping

from hypothesis import strategies as st

from atomops.reports.build import build_report
from atomops.reports.report import Report, Run
from atomops.reports.strings import change_strings
from atomops.verdict import Acknowledgement, Evidence, Finding, Gap, Level

NINE = dt.datetime(2026, 11, 24, 8, 0, 3, tzinfo=dt.UTC)
SECTIONS = ("Health", "Database", "Redis", "Error logs", "Metrics", "Agent executions", "TLS")
TRENDS = {
    "HTTP-LATENCY-P95": "http.latency_p95",
    "PG-XID-AGE": "postgres.xid_age",
    "PG-SIZE": "postgres.database_size",
    "REDIS-LATENCY": "redis.latency",
}
_OBSERVED = {"HTTP-LATENCY-P95": 0.8, "PG-XID-AGE": 120e6, "PG-SIZE": 41e9, "REDIS-LATENCY": 0.0012}


def finding(code: str = "PG-XID-AGE", level: Level = Level.OK, section: str = "Database", **given: object) -> Finding:
    """A finding with what a check would say of itself, unless something else is given."""
    said = {"summary": f"{code} is {level}", "source": "check catalogue", "runbook": f"docs/runbook/{code.lower()}.md"}
    return Finding(code, section, level, **{**said, **given})  # type: ignore[arg-type]  # given by name, as they are


def report_of(
    *findings: Finding,
    previous: Report | None = None,
    gaps: tuple[Gap, ...] = (),
    acknowledgements: Mapping[str, Acknowledgement] | None = None,
    trends: Mapping[str, str] = TRENDS,
    at: dt.datetime = NINE,
) -> Report:
    """The morning report of these findings, as the flow would build it."""
    return build_report(
        flow="morning-checklist",
        target="production",
        sections=SECTIONS,
        findings=findings,
        gaps=gaps,
        acknowledgements=acknowledgements or {},
        trends=trends,
        previous=previous,
        started_at=at,
        finished_at=at + dt.timedelta(seconds=2.4),
        run=Run("3f2b8d1c-9d5e-4a43-8a49-3f0f2f6f5f10", "ops-1", {"atom-ops": "0.1.0", "postgresql": "17.10"}),
    )


def bad_morning() -> Report:
    """Something critical, unknown, new, resolved, acknowledged and not checked, behind two quiet weeks."""
    acknowledged = {"PG-INDEX-UNUSED": Acknowledgement("kept for the yearly report", "2027-01-31")}
    return report_of(
        *_bad(),
        *_well(NINE.day),
        previous=_quiet_weeks(),
        acknowledgements=acknowledged,
        gaps=(
            Gap("Database", "replication: no replica is connected"),
            Gap("TLS", "not configured: app.url is http, without a certificate"),
        ),
    )


def strings_of(report: Report) -> list[str]:
    """Every string of it."""
    found: list[str] = []
    change_strings(report, lambda text: found.append(text) or text)  # type: ignore[func-returns-value]  # both are meant
    return found


def _quiet_weeks() -> Report:
    previous = None
    for day in range(14, 0, -1):
        findings = (*_well(day), finding("REDIS-MEMORY", Level.WARNING, "Redis"), finding("HTTP-ERROR-RATIO"))
        previous = report_of(*findings, previous=previous, at=NINE - dt.timedelta(days=day))
    assert previous is not None
    return previous


def _well(day: int) -> list[Finding]:
    """What goes up and down a little every day."""
    units = {"PG-XID-AGE": "transactions", "PG-SIZE": "bytes"}
    sections = {"PG-XID-AGE": "Database", "PG-SIZE": "Database", "REDIS-LATENCY": "Redis"}
    values = {
        code: round(value * (1 + 0.03 * (day * 7 % 5)), 6) for code, value in _OBSERVED.items() if code in sections
    }
    return [
        finding("HEALTH-LIVE", Level.OK, "Health", observed=0, unit="failures", summary="/health answers"),
        finding("REDIS-MEMORY", Level.OK, "Redis", observed=0.42, unit="ratio")
        if day == NINE.day
        else finding("PG-PING"),
        *(
            finding(code, Level.OK, sections[code], observed=each, unit=units.get(code, "s"))
            for code, each in values.items()
        ),
    ]


def _bad() -> list[Finding]:
    slots = Evidence.of(("slot", "retained", "active"), [("standby_2", "14.2 GiB", "no")])
    return [
        finding(
            "PG-SLOT-RETAINED",
            Level.CRITICAL,
            summary="the slot standby_2 holds back 14.2 GiB of write-ahead log",
            observed=14.2 * 2**30,
            unit="bytes",
            warning=2**30,
            critical=10 * 2**30,
            evidence=slots,
            action="look at its consumer; if that is gone: SELECT pg_drop_replication_slot('standby_2');",
        ),
        finding(
            "HTTP-LATENCY-P95",
            Level.WARNING,
            "Metrics",
            summary="P95 latency is 1.4 s over the last 5 minutes",
            observed=1.4,
            unit="s",
            warning=1.0,
            critical=2.0,
            source="operations guide",
            action="look at PG-STATEMENTS-SLOW, PG-LOCK-WAIT and REDIS-LATENCY",
        ),
        finding(
            "PG-SEQUENCE-FULL",
            Level.UNKNOWN,
            summary="sequences cannot be read: permission denied for sequence orders_id_seq",
            action="GRANT pg_read_all_data TO atom_reader;",
        ),
        finding(
            "PG-INDEX-UNUSED", Level.WARNING, summary="3 indexes are never used", observed=3, unit="indexes", warning=1
        ),
    ]


# Whatever a server may say, with a liking for what markdown, HTML and terminals could make something of.
_MARKUP = (
    *("|", "`", "``", "```\n", "**", "_", "~~", "$", "\\", "# ", "- ", "1. ", "---", "===", "| --- |", "\n", "\n\n"),
    *("![](http://x.test/a.png)", "[a](http://x.test)", "[x]: http://x.test", "[^1]", "http://x.test", "www.x.test"),
    *(
        "a@x.test",
        "<script>",
        "</details>",
        "<!--",
        "<img src=x>",
        "&amp;",
        "&#60;",
        '"',
        "'",
        ">",
        "{{ 7 }}",
        "{% x %}",
    ),
    *("[red]", "[/]", "\x1b[31m", "\r", "\x00", "\u202e", "\ud800", "😀", "x" * 600, "a", " ", "\t"),
)
texts = st.one_of(st.text(max_size=40), st.lists(st.sampled_from(_MARKUP), max_size=8).map("".join))
numbers = st.one_of(st.none(), st.floats(), st.integers(-10, 10**12).map(float))
acknowledged = st.builds(Acknowledgement, texts, st.dates(dt.date(2020, 1, 1)).map(dt.date.isoformat))


def evidences(text: st.SearchStrategy[str] = texts) -> st.SearchStrategy[Evidence]:
    """Tables of one to three columns."""
    return st.integers(1, 3).flatmap(
        lambda width: st.builds(
            Evidence, st.tuples(*[text] * width), st.lists(st.tuples(*[text] * width), max_size=3).map(tuple)
        )
    )


def findings(text: st.SearchStrategy[str] = texts) -> st.SearchStrategy[Finding]:
    """Any finding that a check could have made of what servers say; codes, sections and units are our own."""
    return st.builds(
        Finding,
        code=st.sampled_from(["PG-XID-AGE", "HTTP-LATENCY-P95", "REDIS-LATENCY", "PG-SIZE", "LOG-ERRORS"]),
        section=st.sampled_from(SECTIONS),
        level=st.sampled_from(Level),
        summary=text,
        observed=numbers,
        unit=st.sampled_from(["", "s", "bytes", "ratio", "%", "failures", "tables"]),
        warning=numbers,
        critical=numbers,
        source=text,
        evidence=st.none() | evidences(text),
        action=text,
        runbook=st.just("docs/runbook/x.md"),
    )


@st.composite
def reports(draw: st.DrawFn, text: st.SearchStrategy[str] = texts) -> Report:
    """Any report of a flow, with or without one before it."""
    previous = report_of(*draw(st.lists(findings(text), max_size=4))) if draw(st.booleans()) else None
    return report_of(
        *draw(st.lists(findings(text), max_size=5, unique_by=lambda each: each.code)),
        previous=previous,
        gaps=tuple(draw(st.lists(st.builds(Gap, st.sampled_from(SECTIONS), text), max_size=2))),
        acknowledgements=draw(st.dictionaries(st.sampled_from(sorted(TRENDS)), acknowledged, max_size=2)),
        at=NINE + dt.timedelta(days=1),
    )
