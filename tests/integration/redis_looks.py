"""One look at a Redis server, as the tests of its probe want it."""

import pytest

from atomops.errors import AtomOpsError
from atomops.facts.redis import RedisFacts
from atomops.probes.parts import REDIS
from tests.targets import look as look_at
from tests.targets import target

SECONDS = 120.0  # for who answers, but on a busy machine


def look(url: str, password: str | None = None, **settings: object) -> RedisFacts:
    secret = {"password": "env:REDIS"} if password else {}
    facts = look_at(REDIS, target(password or "", redis={"url": url, "timeout": SECONDS, **secret, **settings}))
    assert isinstance(facts, RedisFacts)
    return facts


def failure(url: str, password: str | None = None, **settings: object) -> AtomOpsError:
    with pytest.raises(AtomOpsError) as caught:
        look(url, password, **settings)
    return caught.value
