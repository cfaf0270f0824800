"""From deployments/automations.yaml and the inventory to notification blocks and automations of Prefect. Pure."""

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from atomops.errors import InventoryError
from atomops.inventory import Target

REPORT_PUBLISHED, BACKUP_PROVEN = "atomops.report.published", "atomops.backup.proven"
ALERT_RECEIVED = "atomops.alert.received"
PREFIX = "atomops: "  # of the name of every automation that is ours
EMAIL, _APPRISE = "email", "slack-webhook"  # Prefect's Slack block takes every address that Apprise knows
_EACH_TARGET, _PLACE = "target", "${target}"
_PORTS = {"starttls": 587, "tls": 465, "none": 25}

Json = dict[str, Any]


def resource_of(target: str, flow: str) -> dict[str, str]:
    """The resource of an event about a flow of a target."""
    return {"prefect.resource.id": f"atomops.target.{target}", "prefect.resource.name": target, "atomops.flow": flow}


def block_address(channel: str) -> str:
    """Where Prefect keeps a channel of the inventory: KIND/NAME; e-mail in a block that takes Apprise's addresses."""
    kind, _, name = channel.partition("/")
    return f"{_APPRISE if kind == EMAIL else kind}/{name}"


@dataclass(frozen=True)
class Block:
    """A notification block as the file describes it; `settings` hold references to secrets, never a value."""

    channel: str
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Wanted:
    """What there is to be: blocks that a target names, automations, and those left out, each with the reason."""

    blocks: tuple[Block, ...]
    automations: tuple[Json, ...]
    left_out: Mapping[str, str]


def expand(description: Mapping[str, Any], targets: Sequence[Target]) -> Wanted:
    """The automations of the file, those `each: target` once for every target. Raises InventoryError for a bad file.

    An action `notify: critical` becomes one message to each channel of that name in the inventory: of the target, or
    of all targets together. An automation that could only tell nobody is left out.
    """
    used = tuple(dict.fromkeys(channel for target in targets for channel in target.notify.every_channel))
    blocks = tuple(_block(each) for each in description.get("blocks") or ())
    automations: list[Json] = []
    left_out: dict[str, str] = {}
    for described in description.get("automations") or ():
        for name, one, whose in _for_targets(described, targets):
            actions = [action for each in one.get("actions") or () for action in _actions(each, whose)]
            if actions:
                automations.append({**one, "name": PREFIX + name, "actions": actions})
            else:
                left_out[name] = f"nobody is to be told: the inventory has no {_roles(one)}"
    return Wanted(tuple(each for each in blocks if each.channel in used), tuple(automations), left_out)


def unknown_channels(wanted: Wanted, targets: Iterable[Target], there: Iterable[str]) -> list[str]:
    """The channels that the inventory names and neither the file nor the server (`there`: their addresses) has."""
    known = {block_address(each.channel) for each in wanted.blocks} | set(there)
    named = dict.fromkeys(channel for target in targets for channel in target.notify.every_channel)
    return [channel for channel in named if block_address(channel) not in known]


def _block(described: Mapping[str, Any]) -> Block:
    settings = {key: value for key, value in described.items() if key not in {"name", "kind"}}
    try:
        return Block(f"{described['kind']}/{described['name']}", settings)
    except KeyError as error:
        raise InventoryError(
            f"a block of automations.yaml has no {error}", action="give it a kind and a name"
        ) from None


def _for_targets(
    described: Mapping[str, Any], targets: Sequence[Target]
) -> Iterator[tuple[str, Json, Sequence[Target]]]:
    if "name" not in described or "trigger" not in described:
        action = "give every automation a name, a trigger and actions"
        raise InventoryError(f"an automation of automations.yaml lacks something: {sorted(described)}", action=action)
    one = {key: copy.deepcopy(value) for key, value in described.items() if key != "each"}
    if described.get("each") != _EACH_TARGET:
        yield str(described["name"]), one, targets
        return
    for target in targets:
        yield f"{described['name']} {target.name}", _filled(one, target.name), [target]


def _filled(value: Any, name: str) -> Any:  # noqa: ANN401 - YAML's own types
    match value:
        case str():
            return value.replace(_PLACE, name)
        case dict():
            return {key: _filled(each, name) for key, each in value.items()}
        case list():
            return [_filled(each, name) for each in value]
        case _:
            return value


def _actions(action: Mapping[str, Any], targets: Sequence[Target]) -> Iterator[Json]:
    if "notify" in action:
        channels = (channel for target in targets for channel in _channels(target, action["notify"]))
        for channel in dict.fromkeys(channels):
            yield {
                "type": "send-notification",
                "block": block_address(channel),
                "subject": action["subject"],
                "body": action["body"],
            }
    elif "run" in action:
        flow = action["run"]
        parameters = action.get("parameters") or {}
        yield {"type": "run-deployment", "source": "selected", "deployment": f"{flow}/{flow}", "parameters": parameters}
    else:
        message = f"an action of automations.yaml neither notifies nor runs: {sorted(action)}"
        raise InventoryError(message, action="write notify: critical, or run: FLOW")


def _channels(target: Target, role: str) -> tuple[str, ...]:
    match role:
        case "critical":
            return target.notify.critical
        case "warning":
            return target.notify.warning
        case "on_call":
            return target.notify.on_call or target.notify.critical
        case _:
            message = f"automations.yaml notifies {role!r}, which nobody is"
            raise InventoryError(message, action="critical, warning or on_call")


def _roles(automation: Mapping[str, Any]) -> str:
    roles = dict.fromkeys(f"notify.{each['notify']}" for each in automation.get("actions") or () if "notify" in each)
    return " and no ".join(roles) or "actions"


def email_address(settings: Mapping[str, Any]) -> str:
    """Apprise's address for a mail server, from the settings of a block of kind email, their secrets read.

    `server` host or host:port, `tls` starttls (the default), tls or none, `user`, `password`, `sender`, `to`. Raises
    InventoryError naming what is missing.
    """
    missing = [name for name in ("server", "sender", "to") if not settings.get(name)]
    if missing:
        raise InventoryError(f"an e-mail block has no {', '.join(missing)}", action="see docs/notifications.md")
    tls = settings.get("tls", "starttls")
    if tls not in _PORTS:
        raise InventoryError(f"tls: {tls!r} of an e-mail block is unknown", action="starttls, tls or none")
    host, _, port = str(settings["server"]).partition(":")
    to = settings["to"]
    query = {
        "smtp": host,
        "from": settings["sender"],
        "to": to if isinstance(to, str) else ",".join(to),
        **({} if tls == "none" else {"mode": "starttls" if tls == "starttls" else "ssl"}),
    }
    login = ":".join(quote(str(settings[name]), safe="") for name in ("user", "password") if settings.get(name))
    scheme = "mailto" if tls == "none" else "mailtos"
    return f"{scheme}://{f'{login}@' if login else ''}{host}:{port or _PORTS[tls]}?{urlencode(query)}"
