"""What the application's own tables tell, in one read-only session, to whoever asks for a report."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from atomops.facts.postgres import Answer, Server
from atomops.verdict import Unseen

Given = str | int | float | tuple[str, ...]


@dataclass(frozen=True)
class ApplicationFacts:
    """The answers to a profile's questions of one report, by code.

    `parameters` are those of the flow; one that was looked up is the id that was found.
    """

    at: dt.datetime
    server: Server
    profile: str | Unseen
    parameters: Mapping[str, Given]
    answers: Mapping[str, Answer | Unseen]


@dataclass(frozen=True)
class AgentFacts(ApplicationFacts):
    """Agents, and what their executions came to."""


@dataclass(frozen=True)
class SkillFacts(ApplicationFacts):
    """What executions of skills came to."""


@dataclass(frozen=True)
class EpisodeFacts(ApplicationFacts):
    """The episodic memory: how much, how old, and where."""


@dataclass(frozen=True)
class UserFacts(ApplicationFacts):
    """Users, and what they may do."""
