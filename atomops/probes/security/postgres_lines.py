"""Which lines of PostgreSQL's own log tell of a login that it refused, in each of its formats: stderr, csvlog, jsonlog.

The code of the error decides where the format has it, since the text comes in the server's language.
"""

import csv
import datetime as dt
import re
from typing import NamedTuple

from atomops.probes.logs import times
from atomops.probes.logs.lines import parse
from atomops.probes.security.login_lines import FailedLogin, address_in, shown

_CODES = frozenset({"28000", "28P01"})  # invalid_authorization_specification, invalid_password
_REFUSED = re.compile(
    r'.*authentication failed for user |no pg_hba\.conf entry for |role ".*" is not permitted to log in'
)
# The first severity is the line's own: a FATAL after it stands in a statement or in another text that it quotes.
_STDERR = re.compile(r"\b(?P<severity>[A-Z]+\d?): {2,}(?:(?P<code>[0-9A-Z]{5}): )?(?P<message>.*)")
_CSV = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ [^,\"]+,")
_CSV_COLUMNS = 14  # up to the message; later versions of PostgreSQL add some at the end
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?(?: ?[+-]\d\d(?::?\d\d)?| (?:UTC|GMT)\b)?")
_ROLE = re.compile(r'(?:user|role) "([^"]+)"')


class _Fatal(NamedTuple):
    message: str
    code: str = ""
    user: str = ""
    client: str = ""


def of_postgres(line: bytes, zone: dt.tzinfo) -> FailedLogin | None:
    """The failed login that the line tells of, None for any other line.

    A time is one of `zone` unless it bears an offset or UTC. In the stderr format the address is told where
    log_line_prefix has %h or %r.
    """
    text = line.decode("utf-8", "replace")
    fatal, when = _fatal(text, line)
    if fatal is None or not (fatal.code in _CODES if fatal.code else _REFUSED.match(fatal.message)):
        return None
    role = _ROLE.search(fatal.message)
    account = fatal.user or (role[1] if role else None)
    return FailedLogin(shown(account), address_in(fatal.client) or address_in(fatal.message), _moment(when, zone))


def _fatal(text: str, line: bytes) -> tuple[_Fatal | None, str]:
    """The end of a session that the line tells of, and where its time stands."""
    if text.startswith("{"):
        record = {key: str(value) for key, value in (parse(line) or {}).items()}
        if record.get("error_severity") != "FATAL":
            return None, ""
        fields = (record.get(key, "") for key in ("message", "state_code", "user", "remote_host"))
        return _Fatal(*fields), record.get("timestamp", "")
    if _CSV.match(text):
        row = next(csv.reader([text]))  # a field that goes on in the next line comes after those that we need
        if len(row) < _CSV_COLUMNS or row[11] != "FATAL":
            return None, ""
        host, _, _port = row[4].rpartition(":")
        return _Fatal(row[13], row[12], row[1], host), row[0]
    found = _STDERR.search(text)
    if found is None or found["severity"] != "FATAL":
        return None, ""
    return _Fatal(found["message"], found["code"] or "", client=text[: found.start()]), text


def _moment(text: str, zone: dt.tzinfo) -> float | None:
    found = _TIME.search(text)
    return times.epoch(re.sub(r" (?:UTC|GMT)$", "Z", found[0]), zone) if found else None
