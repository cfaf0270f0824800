"""How long the long tests are: `make test` tries a little of each kind, `make test-thorough` all of it."""

import os
from collections.abc import Sequence
from typing import TypeVar

IS_THOROUGH = os.environ.get("THOROUGH") == "1"
ROUNDS = int(os.environ.get("ROUNDS", "60"))  # of each kind of loop; more find what is rarer

Case = TypeVar("Case")


def thoroughly(every: Sequence[Case], *, short: Sequence[Case]) -> Sequence[Case]:
    """The cases of a test: a few of them, or every one."""
    return every if IS_THOROUGH else short
