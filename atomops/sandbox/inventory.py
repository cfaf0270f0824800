"""The inventory that points at a world: what an SRE would write for it, secrets in files of their own."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from atomops.sandbox.application.jobs import QUEUE
from atomops.sandbox.seed import DATABASE, READER

if TYPE_CHECKING:
    from atomops.sandbox.world import World

TARGET = "sandbox"

_TEXT = """\
# Written by the sandbox; it ends with it.
[targets.{target}]
profile = "atom"
history = {history}

[targets.{target}.app]
url = {application}

[targets.{target}.postgres]
dsn = {postgres}
password = {postgres_password}

[targets.{target}.redis]
url = {redis}
password = {redis_password}
queues = [{queue}]

[targets.{target}.logs]
paths = [{log}]

[targets.{target}.host]
paths = [{folder}]
"""

_PROMETHEUS = """
[targets.{target}.prometheus]
url = {url}
selector = 'job="atom"'
window = "1m"
"""


def write(world: "World", *, postgres_password: Path, redis_password: Path) -> None:
    """The file of the world, valid and complete."""
    values = {
        "history": world.history,
        "application": world.application.url,
        "postgres": world.postgres.dsn(DATABASE, READER),
        "postgres_password": f"file:{postgres_password}",
        "redis": world.redis.url,
        "redis_password": f"file:{redis_password}",
        "queue": QUEUE,
        "log": world.log,
        "folder": world.folder,
    }
    quoted = {name: json.dumps(str(value)) for name, value in values.items()}  # a JSON string is a TOML string
    text = _TEXT.format(target=TARGET, **quoted)
    if world.prometheus is not None:
        text += _PROMETHEUS.format(target=TARGET, url=json.dumps(world.prometheus.url))
    world.inventory.write_text(text, encoding="utf-8")
