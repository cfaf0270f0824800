"""The inventory that points at a world: what an SRE would write for it, secrets in files of their own."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from pyrage import x25519

from atomops.sandbox.application import control
from atomops.sandbox.application.admin import CACHED
from atomops.sandbox.application.jobs import QUEUE
from atomops.sandbox.seed import CHANGER, DATABASE, READER

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

[targets.{target}.cache]
prefixes = [{cached}]
token = {admin_token}

[targets.{target}.profiling]
token = {admin_token}

[targets.{target}.logs]
paths = [{log}]

[targets.{target}.host]
paths = [{folder}]

[targets.{target}.backups]
store = {backups}
keep_last = 3

[targets.{target}.security]
postgres_logs = [{postgres_log}]

[targets.{target}.configuration]
files = [{application_config}, {environment}]
recipients = [{recipient}]
identity = {identity}

[targets.{target}.runtime]
kind = "command"
stop = {stop}
start = {start}
restart = {restart}
status = {status}
within = 60

[targets.{target}.changes]
dsn = {changes}
password = {changes_password}
settle = 10
"""

_PROMETHEUS = """
[targets.{target}.prometheus]
url = {url}
selector = 'job="atom"'
window = "1m"
"""


def write(  # noqa: PLR0913 - each is a file of its own
    world: "World", *, reader: Path, changer: Path, redis: Path, admin: Path, environment: Path, identity: Path
) -> None:
    """The file of the world, valid and complete; passwords and the token stay in their files."""
    values = {
        "history": world.history,
        "application": world.application.url,
        "postgres": world.postgres.dsn(DATABASE, READER),
        "postgres_password": f"file:{reader}",
        "redis": world.redis.url,
        "redis_password": f"file:{redis}",
        "queue": QUEUE,
        "cached": CACHED,
        "admin_token": f"file:{admin}",
        "log": world.log,
        "postgres_log": world.postgres.server.log,
        "folder": world.folder,
        "backups": world.history / "backups",
        "application_config": world.application.config,
        "environment": environment,
        "recipient": x25519.Identity.from_str(identity.read_text(encoding="utf-8")).to_public(),
        "identity": f"file:{identity}",
        "changes": world.postgres.dsn(DATABASE, CHANGER),
        "changes_password": f"file:{changer}",
    }
    commands = {what: list(control.command(what, world.application.config)) for what in control.COMMANDS}
    quoted = {name: json.dumps(str(value)) for name, value in values.items()}  # a JSON string is a TOML string
    text = _TEXT.format(target=TARGET, **quoted, **{what: json.dumps(argv) for what, argv in commands.items()})
    if world.prometheus is not None:
        text += _PROMETHEUS.format(target=TARGET, url=json.dumps(world.prometheus.url))
    world.inventory.write_text(text, encoding="utf-8")
