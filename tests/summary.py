"""What the suites of a CI run came to: `python -m tests.summary FOLDER` reads every JUnit report in the folder."""

import sys
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

_SLOWEST = 10


def summary(folder: Path) -> Iterator[str]:
    """The slowest tests, what was skipped and why, and one line of counts."""
    cases = [case for report in sorted(folder.glob("*.xml")) for case in ET.parse(report).iter("testcase")]  # noqa: S314 - our own reports
    yield f"The {_SLOWEST} slowest tests, in seconds with their fixtures:"
    for case in sorted(cases, key=_seconds, reverse=True)[:_SLOWEST]:
        yield f"{_seconds(case):8.1f}  {_name(case)}"
    skipped = [case for case in cases if _outcome(case) == "skipped"]
    yield "Skipped, and why:" if skipped else "No test was skipped."
    yield from (f"  {_name(case)}: {case[0].get('message')}" for case in skipped)
    counts = Counter(map(_outcome, cases))
    yield f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped"


def _seconds(case: ET.Element) -> float:
    return float(case.get("time", 0))


def _name(case: ET.Element) -> str:
    return f"{case.get('classname')}::{case.get('name')}"


def _outcome(case: ET.Element) -> str:
    """A test whose teardown failed has failed, too."""
    found = {child.tag for child in case}
    return "failed" if found & {"failure", "error"} else "skipped" if "skipped" in found else "passed"


if __name__ == "__main__":
    for line in summary(Path(sys.argv[1])):
        print(line)
