"""Which lines of the application tell of a failed login: a field or the level decides, never a word in an INFO text."""

import datetime as dt
import ipaddress
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from atomops.facts.logins import UNNAMED
from atomops.probes.logs import times
from atomops.probes.logs.fingerprint import redact
from atomops.probes.logs.lines import PLAIN_RECORD, SEVERITIES, parse

CANDIDATE = re.compile(rb"(?i)log.?in|auth|credential|password|pg_hba")

_LOUD = frozenset(SEVERITIES) | {"WARNING", "WARN"}
_NAMES = frozenset(
    f"{what}_{how}"
    for what in ("login", "log_in", "signin", "sign_in", "auth", "authentication", "user_login")
    for how in ("failed", "failure", "rejected", "denied")
) | {"failed_login", "failed_authentication", "invalid_credentials", "invalid_password", "bad_credentials"}
_NAMING = ("event", "action", "event_type", "event_name", "error_code", "type")
_LOGIN_PATH = re.compile(r"(?i)/(log-?in|sign-?in|auth|token|sessions?)\b")
_TOLD = re.compile(
    r"(?i)\b(?:failed (?:login|log-in|sign-in|authentication|auth)\b|unauthori[sz]ed\b"
    r"|(?:login|log-in|sign-in|authentication|auth) (?:attempt )?(?:failed|failure|rejected|denied)\b"
    r"|(?:invalid|wrong|incorrect|bad) (?:credentials|login|password|username or password)\b)"
)
_ACCOUNTS = ("user_email", "email", "username", "user_name", "account", "login", "user", "user_id", "sub")
_ADDRESSES = ("ip_address", "client_ip", "remote_addr", "remote_ip", "remote_host", "source_ip", "ip", "client")
_IN_TEXT = (
    re.compile(r"([\w.+-]+@[\w-]+(?:\.[\w-]+)+)"),
    re.compile(r"(?i)\b(?:user(?:name)?|account|login)[ =:]+[\"']?([\w.@+-]+)"),
    re.compile(r"(?i)\bfor [\"']?([\w.@+-]+)"),
)
_NO_NAMES = frozenset(
    {"user", "account", "login", "username", "password", "the", "a", "an", "from", "failed", "with", "host"}
)
_NAME = re.compile(r"[\w.@+\\-]{1,100}")
_ADDRESS = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\d)|[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}(?![\w:]))"
)


class FailedLogin(NamedTuple):
    """Whose, and from where, as far as the line tells; `time` is seconds since 1970, or None."""

    account: str
    address: str
    time: float | None


def of_application(line: bytes, zone: dt.tzinfo) -> FailedLogin | None:
    """The failed login that the application's line tells of, None for any other line."""
    if line.startswith(b"{"):
        record = parse(line)
        return _of_record(record, zone) if record and _is_failure(record) else None
    found = PLAIN_RECORD.match(line)
    if found is None:
        return None
    part = {name: value.decode("utf-8", "replace") for name, value in found.groupdict().items() if value}
    level = (part.get("bare") or part.get("boxed") or part.get("level") or "").upper()
    text = part.get("text", "")
    return _of_text(text, times.of_plain(line, zone)) if level in _LOUD and _TOLD.search(text) else None


def _is_failure(record: Mapping[str, Any]) -> bool:
    names = (record.get(key) for key in _NAMING)
    if any(isinstance(name, str) and re.sub(r"[ .-]+", "_", name.strip().lower()) in _NAMES for name in names):
        return True
    if str(record.get("status_code", record.get("status"))) == "401":
        return _LOGIN_PATH.search(str(record.get("path", record.get("endpoint", "")))) is not None
    level = record.get("level")
    return isinstance(level, str) and level.upper() in _LOUD and _TOLD.search(_text(record)) is not None


def _of_record(record: Mapping[str, Any], zone: dt.tzinfo) -> FailedLogin:
    told = _of_text(_text(record), times.of_record(record, zone))
    account = next((name for key in _ACCOUNTS if (name := shown(record.get(key)))), told.account)
    address = next((found for key in _ADDRESSES if (found := address_in(str(record.get(key, ""))))), told.address)
    return FailedLogin(account, address, told.time)


def _of_text(text: str, moment: float | None) -> FailedLogin:
    text = redact(text[:1000])
    names = (name for pattern in _IN_TEXT for name in pattern.findall(text))
    fitting = (name.rstrip(".") for name in names if name.lower() not in _NO_NAMES and not _ADDRESS.fullmatch(name))
    return FailedLogin(shown(next(fitting, None)), address_in(text), moment)


def _text(record: Mapping[str, Any]) -> str:
    told = (record.get(key) for key in ("message", "event", "msg"))
    return " ".join(text for text in told if isinstance(text, str))


def shown(given: object) -> str:
    """A name as it may be shown: no white space, no length, nothing that looks like a token."""
    text = str(given) if isinstance(given, str | int) else ""
    return text if _NAME.fullmatch(text) and redact(text) == text else UNNAMED


def address_in(text: str) -> str:
    """The first network address of the text, or none."""
    for found in _ADDRESS.findall(text):
        try:
            return str(ipaddress.ip_address(found))
        except ValueError:
            continue
    return UNNAMED
