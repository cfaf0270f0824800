"""Prometheus's own tool checks the shipped rules, and runs their cases; and the guide's own rules beside them."""

import asyncio

from atomops import shell
from tests import servers
from tests.prometheus_rules import AS_WRITTEN, SHIPPED

WITHIN = 120  # seconds


def promtool(*words: str, in_all: str) -> str:
    files = sorted([*SHIPPED.rglob(in_all), *AS_WRITTEN.glob(in_all)])
    assert len(files) == 3
    return asyncio.run(shell.run([servers.required(servers.promtool), *words, *files], timeout=WITHIN)).stdout.decode()


def test_every_rule_can_be_evaluated() -> None:
    assert promtool("check", "rules", in_all="*.rules.yml").count("SUCCESS") == 3


def test_every_case_is_answered_as_it_should_be_and_the_guides_own_rules_answer_wrongly() -> None:
    assert promtool("test", "rules", in_all="*.test.yml").count("SUCCESS") == 3
