"""The log of a day that the application has not lived through: its own shapes, with older times."""

import itertools
import logging
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from atomops.sandbox.application.log import coded, formatter

_HOUR = 3600
_SPAN_HOURS = 30
_EVERY_SECONDS = 45
_ROTATED_HOURS = 12  # older lines are in the rotated sibling


@dataclass(frozen=True)
class Story:
    """A line that was written `times` times between two moments, given in hours before now."""

    logger: str
    level: int
    message: str
    code: str | None = None
    times: int = 1
    since: float = _SPAN_HOURS
    until: float = 0


_STORIES = (
    Story("core.agent_runtime", logging.ERROR, "Agent run failed: model timed out", "LLM_TIMEOUT", times=40),
    Story("services.llm_service", logging.ERROR, "Rate limit of provider 'north' reached", "LLM_RATE", times=25),
    Story("services.llm_service", logging.ERROR, "Database connection failed", "DB_001", times=14, since=7, until=6.5),
    Story("services.worker", logging.ERROR, "Job 6f1c failed", "JOB_FAILED", times=12),
    Story(
        "api.health_routes", logging.ERROR, "Database health check failed: timeout expired", times=6, since=7, until=6
    ),
    Story("services.sync", logging.ERROR, "Calendar sync gave up", "SYNC_014", times=9, since=29, until=25),
    Story(
        "core.auth",
        logging.WARNING,
        "Login failed for user1@example.com from 198.51.100.23",
        times=36,
        since=4,
        until=3,
    ),
    Story("services.sso", logging.WARNING, "Authentication failed for user9@example.com from 203.0.113.9", times=3),
    Story("api.auth_routes", logging.WARNING, "Failed login for user12@example.com from 203.0.113.12", times=2),
    Story("core.governance", logging.WARNING, "Agent needs approval for action delete_record", times=60),
)
_INCIDENTS = (  # one of them began within the last hour, another one each demo
    Story("services.vector_store", logging.ERROR, "Vector index answered too late", "VECTOR_TIMEOUT", times=7, since=1),
    Story(
        "services.oauth", logging.ERROR, "Token of integration 'mail' has expired", "OAUTH_EXPIRED", times=7, since=1
    ),
    Story("services.storage", logging.ERROR, "Upload was refused: bucket quota", "STORAGE_QUOTA", times=7, since=1),
)
_ROUTINE = (
    Story("core.agent_runtime", logging.INFO, "Agent started"),
    Story("services.skills", logging.INFO, "Skill finished"),
    Story("api.agent_routes", logging.INFO, "Agents listed"),
)


def write_history(log: Path, now: float | None = None) -> None:
    """Thirty hours of lines up to `now` (seconds since 1970): in the file, and the older ones in its sibling `.1`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    moment = time.time() if now is None else now
    records = sorted(_records(moment), key=lambda record: record.created)
    _write(log.with_name(f"{log.name}.1"), [one for one in records if one.created < moment - _ROTATED_HOURS * _HOUR])
    _write(log, [one for one in records if one.created >= moment - _ROTATED_HOURS * _HOUR])


def _records(now: float) -> Iterator[logging.LogRecord]:
    routine = itertools.cycle(_ROUTINE)
    for seconds in range(_EVERY_SECONDS, _SPAN_HOURS * _HOUR, _EVERY_SECONDS):
        yield _record(next(routine), now - seconds)
    for story in (*_STORIES, random.choice(_INCIDENTS)):  # noqa: S311 - no secret
        for number in range(story.times):
            hours = story.until + (number + 1) * (story.since - story.until) / (story.times + 1)
            yield _record(story, now - hours * _HOUR)


def _record(story: Story, created: float) -> logging.LogRecord:
    attributes = {"name": story.logger, "levelno": story.level, "levelname": logging.getLevelName(story.level)}
    code = coded(story.code) if story.code else {}
    return logging.makeLogRecord({**attributes, "msg": story.message, "created": created, **code})


def _write(path: Path, records: list[logging.LogRecord]) -> None:
    shape = formatter()
    path.write_text("".join(f"{shape.format(record)}\n" for record in records), encoding="utf-8")
