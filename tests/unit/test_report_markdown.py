import re
from typing import Any

import pytest
from hypothesis import given, settings
from markdown_it import MarkdownIt
from markdown_it.token import Token

from atomops.reports.markdown import markdown
from atomops.reports.markdown_text import escape, fence
from atomops.reports.report import Report
from atomops.verdict import Acknowledgement, Evidence, Gap, Level
from tests.samples import bad_morning, finding, report_of, reports, texts

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
OUR_IMAGE = re.compile(r'<img src="data:image/svg\+xml;base64,[A-Za-z0-9+/=]+" alt="[a-z0-9_.]+">')
OUR_FOLD = re.compile(r"<details><summary>[^<>]*</summary><ul>\n(<li>[^<>]*</li>\n)*</ul></details>\n?")
# What remark-gfm, which the Prefect UI uses, makes a link of in plain text, whatever it was spelt with.
AUTOLINK = re.compile(r"(https?://|www(?=\.))([-.\w]+)|(?<![^\s\W])([-.\w+]+)@([-\w]+(?:\.[-\w]+)+)", re.IGNORECASE)


def tokens(source: str) -> list[Token]:
    return [each for block in PARSER.parse(source) for each in (block, *(block.children or ()))]


def kinds(source: str) -> list[str]:
    return [token.type for token in tokens(source) if token.type not in {"text", "code_inline", "inline"}]


def shown(source: str) -> str:
    return "".join(each.content for each in tokens(source) if each.type in {"text", "code_inline", "text_special"})


@given(texts)
def test_any_text_is_shown_exactly_as_it_is(text: str) -> None:
    clean = text.replace("\x00", "").replace("\ud800", "")  # no report holds them
    source = f"- so: {escape(clean)}"
    expected = " ".join(clean.split())
    visible = shown(source).removeprefix("so:").strip()
    assert visible == (expected if len(expected) <= 500 else expected[:499] + "…")
    assert kinds(source) == kinds("- so: plain")


@given(texts)
def test_no_text_becomes_a_link_by_itself(text: str) -> None:
    plain = [token.content for token in tokens(f"- so: {escape(text)}") if token.type in {"text", "text_special"}]
    assert not AUTOLINK.search("".join(plain))


@given(texts)
def test_no_text_ends_the_block_of_code_that_it_stands_in(text: str) -> None:
    blocks = PARSER.parse(f"before\n\n{fence(text)}\n\nafter")
    assert [block.type for block in blocks if block.type != "inline"] == [
        *("paragraph_open", "paragraph_close", "fence", "paragraph_open", "paragraph_close"),
    ]


@given(reports())
@settings(max_examples=40)
def test_nothing_of_a_report_becomes_html_a_link_an_image_or_a_heading(report: Report) -> None:
    parsed = tokens(markdown(report))
    for token in parsed:
        assert token.type not in {"link_open", "image", "code_block", "blockquote_open", "s_open", "em_open"}
        if token.type == "html_inline":
            assert OUR_IMAGE.fullmatch(token.content), token.content
        if token.type == "html_block":
            assert OUR_FOLD.fullmatch(token.content), token.content
    headings = [token.tag for token in parsed if token.type == "heading_open"]
    assert headings.count("h1") == 1
    assert headings.count("h3") == len(report.to_do)


@given(reports())
@settings(max_examples=40)
def test_every_table_has_the_rows_and_cells_of_its_evidence(report: Report) -> None:
    expected = sum(
        (len(first.evidence.rows) + 1) * len(first.evidence.columns)
        for first, _ in report.to_do
        if first.evidence and first.evidence.rows
    )
    source = markdown(report).partition("\n## Trends")[0].partition("\n## What was seen")[0].partition("\n<details>")[0]
    cells = [token for token in tokens(source) if token.type in {"td_open", "th_open"}]
    assert len(cells) == expected


def test_the_parts_stand_in_the_order_that_people_like() -> None:
    source = markdown(bad_morning())
    parts = [
        "# 🔴 CRITICAL · grade D",
        "**1 critical, 1 unknown and 1 warning among 9 checks",
        "## Since the last report",
        "- **new**: PG-SLOT-RETAINED",
        "- **resolved**: REDIS-MEMORY",
        "- **unchanged**: 4 checks",
        "## What to do",
        "### 🔴 the slot standby\\_2 holds back 14.2 GiB of write-ahead log",
        "CRITICAL · **PG-SLOT-RETAINED** · Database · **new**",
        "| slot | retained | active |",
        "Threshold: observed 14.2 GiB; warning from 1.0 GiB; critical from 10.0 GiB (check catalogue)",
        "```\nlook at its consumer; if that is gone: SELECT pg_drop_replication_slot('standby_2');\n```",
        "Runbook: docs/runbook/pg-slot-retained.md",
        "### 🟣 sequences cannot be read",
        "### 🟡 P95 latency is 1.4 s",
        "## Acknowledged",
        "known until 2027-01-31: kept for the yearly report",
        "## Trends",
        "<details><summary>5 checks passed (Health 1/1, Database 2/5, Redis 2/2, Metrics 0/1)</summary>",
        "## Not checked",
        "- **TLS**: not configured",
        "Made on ops-1, atom-ops 0.1.0, postgresql 17.10; flow run 3f2b8d1c",
    ]
    places = [source.find(part) for part in parts]
    assert -1 not in places, parts[places.index(-1)]
    assert places == sorted(places)


def test_what_is_well_shows_its_rows_too() -> None:
    rows = Evidence.of(("table", "rows"), [("public.agents", "12")])
    source = markdown(report_of(finding(evidence=rows, summary="12 rows in all")))
    assert (
        "## What was seen\n\n**Database**: 12 rows in all\n\n| table | rows |\n| --- | --- |\n| public.agents | 12 |"
        in source
    )


def test_a_report_with_nothing_to_do_says_so() -> None:
    source = markdown(report_of(finding()))
    assert "# 🟢 OK · grade A" in source
    assert "## What to do\n\nNothing." in source
    assert "- **first report**: nothing to compare with yet" in source
    assert "## Acknowledged" not in source
    assert "## Not checked" not in source


def test_findings_of_one_cause_are_named_beside_the_first() -> None:
    down: dict[str, Any] = {"level": Level.UNKNOWN, "summary": "db:5432 refused", "action": "start it"}
    source = markdown(report_of(*(finding(code, **down) for code in ("A", "B", "C"))))
    assert "And 2 checks more say the same: B, C" in source


def test_long_evidence_is_cut_and_says_so() -> None:
    evidence = Evidence.of(["n"], [[number] for number in range(33)])
    source = markdown(report_of(finding(level=Level.WARNING, evidence=evidence)))
    assert "| 19 |\n\nand 13 rows more" in source
    assert "| 20 |" not in source


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"observed": 1.4, "unit": "s", "warning": 1.0, "source": "guide"},
            "observed 1.4 s; warning from 1.0 s (guide)",
        ),
        (
            {"observed": 0.2, "unit": "ratio", "warning": 0.9, "critical": 0.5},
            "warning below 90 %; critical below 50 %",
        ),
        ({"observed": 3, "unit": "days", "warning": 30}, "observed 3 days; warning below 30 days"),
        ({"observed": 2**31, "unit": "bytes"}, "observed 2.0 GiB"),
        ({"observed": 1, "unit": "failures", "critical": 1}, "must not fail (check catalogue)"),
        ({"unit": "s", "critical": 7200}, "not observed; critical from 2 hours"),
    ],
)
def test_a_threshold_is_told_in_units_that_people_use(given: dict[str, Any], expected: str) -> None:
    assert expected in markdown(report_of(finding(level=Level.WARNING, **given)))


def test_an_acknowledged_finding_and_a_gap_stay_text_too() -> None:
    odd = "a | b <b>`c`</b>"
    known = {"PG-XID-AGE": Acknowledgement(odd, "2030-01-01")}
    report = report_of(finding(level=Level.WARNING), gaps=(Gap("TLS", odd),), acknowledgements=known)
    assert markdown(report).count("a \\| b &lt;b&gt;\\`c\\`&lt;/b&gt;") == 2


def test_a_finding_without_a_page_or_a_next_step_has_no_line_for_them() -> None:
    source = markdown(report_of(finding(level=Level.WARNING, runbook="")))
    assert "Runbook" not in source
    assert "Next" not in source


def test_a_plan_is_never_cut() -> None:
    plan = Evidence.of(("step", "exactly"), ((f"step {number}", "") for number in range(33)))
    source = markdown(report_of(finding(level=Level.OK, unit="failures", evidence=plan)))
    assert "step 32" in source
    assert "rows more" not in source


@pytest.mark.parametrize("level", [Level.OK, Level.WARNING])
def test_a_listing_is_as_long_as_its_reader_wished(level: Level) -> None:
    rows = Evidence(("agent",), tuple((f"agent {number:02}",) for number in range(30)))
    assert "agent 29" in markdown(report_of(finding(level=level, evidence=rows, listing=True)))
    assert "and 10 rows more" in markdown(report_of(finding(level=level, evidence=rows)))
