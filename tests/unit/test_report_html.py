import re
from html.parser import HTMLParser

from hypothesis import given, settings

from atomops.reports.html import html
from atomops.reports.report import Report
from tests.samples import bad_morning, reports

LOADS = {"src", "href", "srcset", "data", "action", "poster", "background"}


class Page(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.loaded: list[str] = []
        self.text = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loaded += [value or "" for name, value in attrs if name in LOADS]
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text += data


@given(reports())
@settings(max_examples=50)
def test_no_text_of_a_report_becomes_html(report: Report) -> None:
    page = Page(html(report))
    assert not {"script", "a", "iframe", "object", "form", "link", "base"} & set(page.tags)
    assert all(address.startswith("data:image/svg+xml;base64,") for address in page.loaded)
    assert page.tags.count("article") == len(report.to_do)
    assert len(page.loaded) == len(report.trends)


@given(reports())
@settings(max_examples=25)
def test_every_finding_can_be_read_as_it_was_said(report: Report) -> None:
    text = " ".join(Page(html(report)).text.split())
    for finding in report.findings:
        assert " ".join(finding.summary.split()) in text


def test_the_page_needs_nothing_else() -> None:
    source = html(bad_morning())
    assert not re.findall(r"url\(|@import|<script|<link", source)
    assert "default-src 'none'" in source


def test_the_parts_stand_in_the_order_of_the_markdown() -> None:
    source = html(bad_morning())
    parts = [
        '<header class="CRITICAL">',
        "1 critical, 1 unknown and 1 warning among 9 checks",
        "<h2>Since the last report</h2>",
        "<dt>resolved</dt><dd>REDIS-MEMORY</dd>",
        "<h2>What to do</h2>",
        '<article class="CRITICAL">',
        "<td>standby_2</td>",
        "Threshold: observed 14.2 GiB",
        "<pre>look at its consumer",
        "docs/runbook/pg-slot-retained.md",
        '<article class="UNKNOWN">',
        '<article class="WARNING">',
        "<h2>Acknowledged</h2>",
        "<h2>Trends</h2>",
        "<h2>Passed</h2>",
        "5 checks passed",
        "<h2>Not checked</h2>",
        "Made on ops-1",
    ]
    places = [source.find(part) for part in parts]
    assert -1 not in places, parts[places.index(-1)]
    assert places == sorted(places)
