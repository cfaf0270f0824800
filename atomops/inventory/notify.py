"""Who is told of what, and how alerts find their target."""

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from atomops.inventory.base import Settings

_CHANNEL = r"^[a-z0-9]+(-[a-z0-9]+)*/[a-z0-9]+(-[a-z0-9]+)*$"
Channel = Annotated[str, Field(pattern=_CHANNEL)]


def _pattern(text: str) -> str:
    """A regular expression. Raises ValueError."""
    try:
        re.compile(text)
    except re.error as error:
        message = f"{text!r} is no regular expression: {error}"
        raise ValueError(message) from error
    return text


class Notify(Settings):
    """Who is told, by notification blocks of the Prefect server: "KIND/NAME" such as "slack-webhook/atomops-critical".

    `deployments/automations.yaml` describes the blocks, and `atomops automations apply` creates them.
    """

    critical: tuple[Channel, ...] = Field((), description="told when a report becomes CRITICAL, and when it is over")
    warning: tuple[Channel, ...] = Field(
        (), description="told when a report becomes WARNING or UNKNOWN, and is OK again"
    )
    on_call: tuple[Channel, ...] = Field((), description="told once of each critical alert; default: those of critical")
    timeout: float = Field(15, gt=0, le=120, description="seconds that one message may take")

    @property
    def every_channel(self) -> tuple[str, ...]:
        """Each once, in the order of the file."""
        return tuple(dict.fromkeys((*self.critical, *self.warning, *self.on_call)))


class Alerts(Settings):
    """Which of Alertmanager's alerts are this target's, and what is done with them."""

    match: Mapping[str, Annotated[str, AfterValidator(_pattern)]] = Field(
        default_factory=dict,
        description="labels whose whole values match these patterns; the label `target` goes before it",
    )
    ticket_after_minutes: float = Field(
        60, gt=0, le=30 * 24 * 60, description="a warning that lasts longer gets a ticket"
    )
    look_again_minutes: float = Field(
        15, ge=1, le=24 * 60, description="how often an open incident is looked at while the receiver runs"
    )
    critical: tuple[str, ...] = Field(
        ("critical", "page", "emergency"), description="values of the label `severity` that call somebody"
    )
    changes_hours: float = Field(24, gt=0, le=24 * 31, description="how far before an alert changes are looked for")
