"""Which runtime a target has; what it needs is loaded only then."""

import asyncio
import sys
from typing import Any

import pytest

from atomops import shell
from atomops.errors import NotThere
from atomops.runtimes.choose import runtime_of
from tests.targets import target


def test_a_target_on_kubernetes_has_its_workload() -> None:
    settings = {"kind": "kubernetes", "statefulset": "atom", "namespace": "prod"}
    assert runtime_of(target(runtime=settings)).name == "statefulset prod/atom"


@pytest.mark.parametrize("parts", [{}, {"runtime": {"kind": "none"}}])
def test_a_target_without_a_runtime_says_which_key_to_add(parts: dict[str, Any]) -> None:
    with pytest.raises(NotThere, match="nothing says what runs the application of test"):
        runtime_of(target(**parts))


def test_a_client_is_loaded_only_when_its_runtime_is_used() -> None:
    code = "import sys, atomops.runtimes.choose; sys.exit({'kubernetes', 'docker'} & set(sys.modules) != set())"
    asyncio.run(shell.run((sys.executable, "-c", code), timeout=60))
