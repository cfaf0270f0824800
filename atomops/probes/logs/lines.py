r"""The shapes of a log line: JSON with `message`, structlog's JSON with `event`, plain text with or without a time.

Level and field decide, never a word in a text. A key or level written with \u escapes inside the word is not found.
"""

import datetime as dt
import json
import re
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from atomops.probes.logs import times
from atomops.probes.logs.fingerprint import clean, fingerprint, shorten

SEVERITIES = dict.fromkeys(("ERROR", "ERR", "SEVERE", "EXCEPTION"), "ERROR") | dict.fromkeys(
    ("CRITICAL", "CRIT", "FATAL", "EMERGENCY", "EMERG", "ALERT", "PANIC"), "CRITICAL"
)
_BAD = "|".join(sorted(SEVERITIES, key=len, reverse=True)).encode()
_ANY = _BAD + rb"|TRACE|DEBUG|INFO|NOTICE|WARNING|WARN"

# Starts at the rarest letter of "level": the search runs twice as fast, and what it finds is parsed anyway.
JSON_CANDIDATE = re.compile(rb'vel"\s*:\s*"[eEcCfFaApPsS\\]')

_FIELD = rb"(?:\[?(?!(?:" + _ANY + rb")\b)(?P<name>[\w./-]+)\]?(?:[ ]*[-|:][ ]+|[ ]+))?"
_AFTER = rb"[ ]*[-|:]?[ ]*(?:\[?(?P<logger>[\w./-]+)\]?(?::[ ]+|[ ][-|][ ]+))?"


def _plain(levels: bytes) -> bytes:
    """Level:logger:text, or a time, perhaps one more field, the level, perhaps the logger, and the text."""
    bare = rb"(?P<bare>" + levels + rb"):(?:(?P<bare_logger>[\w./-]+):)?"
    level = rb"(?:\[(?P<boxed>(?i:" + levels + rb"))[ ]*\]|(?P<level>" + levels + rb")(?=[\s:|\]-]|\Z))"
    dated = times.PLAIN + rb"(?:[ ]*[-|][ ]*|[ ]+)" + _FIELD + level + _AFTER
    return rb"(?:" + bare + rb"|" + dated + rb")[ \t]*(?P<text>[^\n]*)"


PLAIN_ERROR = re.compile(rb"\n" + _plain(_BAD))
PLAIN_RECORD = re.compile(_plain(_ANY))
RECORD_START = re.compile(rb"\n(?=\{|(?:" + _ANY + rb"):|\[?\d{4}-\d\d-\d\d[T ]\d\d:)")

# The last line of a traceback. An indented or bracketed line after it belongs to its message.
_EXCEPTION = re.compile(r"^(?:[a-z_]\w*\.)*[A-Z]\w*(?::.*)?$", re.MULTILINE)
_TRACEBACK = "Traceback (most recent call last)"
_LONGEST_LABEL = 100
_LONGEST_TAIL = 16_384


class ErrorRecord(NamedTuple):
    """An error or worse. `written` is the level as the application wrote it, in upper case; `time` may be unknown."""

    written: str
    time: float | None
    code: str | None
    logger: str | None
    text: str
    exception: str = ""

    @property
    def severity(self) -> str:
        """ERROR or CRITICAL."""
        return SEVERITIES[self.written]

    @property
    def pattern(self) -> str:
        """The masked text, and the kind of exception that came with it."""
        kind = self.exception.partition(":")[0]
        return fingerprint(f"{self.text} [{kind}]" if kind else self.text)

    @property
    def sample(self) -> str:
        """One line of real text without secrets."""
        return shorten(clean(f"{self.text} [{self.exception}]" if self.exception else self.text))


def parse(line: bytes) -> dict[str, Any] | None:
    """The object on the line, None when it is none. NaN, which Python writes, and stray bytes are put up with."""
    try:
        value = orjson.loads(line)
    except ValueError:
        try:
            value = json.loads(line.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, dict) else None


def of_json(record: dict[str, Any], zone: dt.tzinfo) -> ErrorRecord | None:
    """The error that the record is, None when its own level says otherwise."""
    level = record.get("level")
    written = level.upper() if isinstance(level, str) else ""
    if written not in SEVERITIES:
        return None
    return ErrorRecord(
        written=written,
        time=times.of_record(record, zone),
        code=_label(record.get("error_code")),
        logger=_label(record.get("logger")),
        text=_text(record),
        exception=_exception(record.get("exception") or record.get("exc_info")),
    )


def of_plain(found: re.Match[bytes], tail: bytes, zone: dt.tzinfo) -> ErrorRecord:
    """The error on a plain line, and in `tail` the lines that belong to it."""
    part = {name: value.decode("utf-8", "replace") for name, value in found.groupdict().items() if value}
    written = part.get("bare") or part.get("boxed") or part["level"]
    return ErrorRecord(
        written=written.upper(),
        time=times.of_plain(found[0][1:], zone),
        code=None,
        logger=_label(part.get("bare_logger") or part.get("logger") or part.get("name", "").strip("0123456789")),
        text=part.get("text", ""),
        exception=_exception(tail[-_LONGEST_TAIL:].decode("utf-8", "replace")),
    )


def bears_level(line: bytes) -> bool:
    """Whether the line says how bad it is, in one of the shapes that we know."""
    if line.startswith(b"{"):
        return isinstance((parse(line) or {}).get("level"), str)
    return PLAIN_RECORD.match(line) is not None


def _text(record: dict[str, Any]) -> str:
    for key in ("message", "event", "msg"):
        value = record.get(key)
        if value is not None:
            return value if isinstance(value, str) else json.dumps(value, default=str)
    return "(no message)"


def _exception(text: object) -> str:
    if not isinstance(text, str) or _TRACEBACK not in text:
        return ""
    lines = _EXCEPTION.findall(text.replace("\r", ""))
    return lines[-1].strip() if lines else ""


def _label(value: object) -> str | None:
    return _short(str(value)) if isinstance(value, (str, int, float)) else None


@lru_cache(maxsize=4_096)  # loggers and codes are few, and there are many records
def _short(label: str) -> str | None:
    return shorten(clean(label), _LONGEST_LABEL) or None
