"""What alerts told of, and what was found out about them. Times are aware UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import AwareDatetime

from atomops.facts.restore import Step
from atomops.verdict import Unseen


@dataclass(frozen=True)
class Signal:
    """One alert as it was told: it fires since `began`, or it ended. `key` is that of its labels.

    `target` is its label of that name; `labels` are the others than it, the alert's name and its severity.
    """

    key: str
    name: str
    severity: str
    labels: Mapping[str, str]
    began: AwareDatetime
    ended: AwareDatetime | None = None
    summary: str = ""
    description: str = ""
    source: str = ""
    target: str | None = None

    @property
    def every_label(self) -> dict[str, str]:
        """Those that have a place of their own too, by which its target is found."""
        named = {"alertname": self.name, "severity": self.severity}
        return {**self.labels, **named, **({} if self.target is None else {"target": self.target})}

    @property
    def fires(self) -> bool:
        """Not resolved."""
        return self.ended is None


@dataclass(frozen=True)
class Incident:
    """One alert from its beginning to its end; `acknowledged` is when we first looked.

    `told` is when the on-call channels were given it, `ticket` when a ticket text was written, `again` when it began
    anew without having ended.
    """

    key: str
    name: str
    severity: str
    labels: Mapping[str, str]
    began: AwareDatetime
    acknowledged: AwareDatetime
    summary: str = ""
    description: str = ""
    source: str = ""
    ended: AwareDatetime | None = None
    told: AwareDatetime | None = None
    ticket: AwareDatetime | None = None
    closing_told: bool = False
    again: AwareDatetime | None = None

    @property
    def latest(self) -> AwareDatetime:
        """The latest beginning that was told of it: what is older is a repetition."""
        return self.again or self.began

    @property
    def is_open(self) -> bool:
        """It still fires, as far as we have been told."""
        return self.ended is None

    @property
    def title(self) -> str:
        """Its name, and the labels that tell it from others of that name."""
        own = ", ".join(f"{name}={value}" for name, value in self.labels.items())
        return f"{self.name} ({own})" if own else self.name


@dataclass(frozen=True)
class Spooled:
    """What lay in the spool: payloads, the alerts in them, those that told nothing new, and files that say nothing."""

    payloads: int = 0
    alerts: int = 0
    replays: int = 0
    broken: tuple[str, ...] = ()


@dataclass(frozen=True)
class RecentChange:
    """A change on record: what, by whom, how it ended; `result` is "started" for one that never ended."""

    at: AwareDatetime
    what: str
    who: str
    result: str
    detail: str = ""


@dataclass(frozen=True)
class IncidentFacts:
    """The incidents of a target after what was in the spool, and what its sources say now.

    `rollback` is prepared, not run; `on_call` are the channels that are told of critical alerts. `asked` names who was
    asked what fires, `unasked` why somebody could not be; `is_heard` is False when nobody could be, and no webhook has
    told us of any alert within the week that incidents are kept: then silence says nothing.
    """

    at: AwareDatetime
    critical: tuple[str, ...]
    ticket_after: float
    changes_hours: float
    open: tuple[Incident, ...] = ()
    resolved: tuple[Incident, ...] = ()
    new: tuple[str, ...] = ()
    spooled: Spooled = Spooled()
    asked: tuple[str, ...] = ()
    unasked: Unseen | None = None
    is_heard: bool = True
    changes: tuple[RecentChange, ...] | Unseen = ()
    runs: str | Unseen = ""
    rollback: tuple[Step, ...] = ()
    on_call: tuple[str, ...] = ()

    def is_critical(self, incident: Incident) -> bool:
        """Somebody is called for it."""
        return incident.severity.lower() in self.critical

    def persists(self, incident: Incident) -> bool:
        """It lasts longer than a ticket waits. `ticket_after` in seconds."""
        return (self.at - incident.began).total_seconds() >= self.ticket_after


@dataclass(frozen=True)
class Owed:
    """A message that has not gone out yet, and why."""

    key: str
    channel: str
    subject: str
    body: str
    at: AwareDatetime
    attempts: int = 0
    error: str = ""


@dataclass(frozen=True)
class Told:
    """What a flow's channels know of it: the worst that was told since `since`, and its critical findings."""

    level: str
    since: AwareDatetime
    codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outbox:
    """Messages on their way, by which incidents they are; `sent` are keys of those that went out, with their times."""

    told: Mapping[str, Told] = field(default_factory=dict)
    owed: tuple[Owed, ...] = ()
    sent: Mapping[str, AwareDatetime] = field(default_factory=dict)


@dataclass(frozen=True)
class NotifyFacts:
    """What is owed to the target's channels at this moment; `channels` are those of its inventory."""

    at: AwareDatetime
    channels: tuple[str, ...]
    owed: tuple[Owed, ...] = ()
