"""Logins that PostgreSQL refused, in each format of its log."""

import datetime as dt
import json
from zoneinfo import ZoneInfo

import pytest

from atomops.probes.security.login_lines import CANDIDATE
from atomops.probes.security.postgres_lines import of_postgres

UTC = dt.UTC
PLACE = "203.0.113.7"
GERMAN = "Passwort-Authentifizierung für Benutzer »ada« fehlgeschlagen"
SIX = dt.datetime(2026, 11, 25, 6, tzinfo=UTC).timestamp()


def js(**fields: object) -> str:
    return json.dumps({"timestamp": "2026-11-25 06:00:00.123 UTC", **fields})


def csv(client: str, severity: str, code: str, message: str, *, at: str = "2026-11-25 06:00:00.123 UTC") -> str:
    quoted = message.replace('"', '""')
    return (
        f'{at},"ada","atom",4711,"{client}",69255e00.1267,2,"authentication",2026-11-25 06:00:00 UTC,3/7,0,'
        f'{severity},{code},"{quoted}","Connection matched file ""pg_hba.conf"" line 1: ""host all all all scram'
    )


@pytest.mark.parametrize(
    ("line", "account", "address"),
    [
        ('2026-11-25 06:00:00.123 UTC [42] FATAL:  password authentication failed for user "ada"', "ada", ""),
        (
            f'2026-11-25 06:00:00.123 CET [42] {PLACE} FATAL:  password authentication failed for user "ada"',
            "ada",
            PLACE,
        ),
        (
            f'2026-11-25 06:00:00 UTC [4] FATAL:  no pg_hba.conf entry for host "{PLACE}", user "eve", database "x"',
            "eve",
            PLACE,
        ),
        ('2026-11-25 06:00:00 UTC [4] FATAL:  role "ada" is not permitted to log in', "ada", ""),
        (
            js(
                user="ada",
                remote_host=PLACE,
                error_severity="FATAL",
                message='password authentication failed for user "ada"',
            ),
            "ada",
            PLACE,
        ),
        (js(user="ada", remote_host=PLACE, error_severity="FATAL", state_code="28P01", message=GERMAN), "ada", PLACE),
        (csv(f"{PLACE}:50123", "FATAL", "28P01", 'password authentication failed for user "ada"'), "ada", PLACE),
        (csv("2001:db8::7:5012", "FATAL", "28P01", GERMAN), "ada", "2001:db8::7"),
        (csv("[local]", "FATAL", "28000", 'Peer authentication failed for user "ada"'), "ada", ""),
        (f"2026-11-25 06:00:00 UTC {PLACE}(5012) FATAL:  28P01: {GERMAN} authentication", "", PLACE),
    ],
)
def test_postgres_tells_of_logins_that_it_refused(line: str, account: str, address: str) -> None:
    found = of_postgres(line.encode(), UTC)
    assert found is not None
    assert (found.account, found.address) == (account, address)
    assert found.time is not None
    assert CANDIDATE.search(line.encode())


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-25 06:00:00 UTC [4] LOG:  password authentication failed for user",
        "2026-11-25 06:00:00 UTC [4] LOG:  statement: SELECT 'FATAL:  password authentication failed for user \"x\"'",
        '2026-11-25 06:00:00 UTC [4] FATAL:  database "authors" does not exist',
        js(error_severity="LOG", message="connection authorized"),
        js(error_severity="FATAL", state_code="3D000", message='database "authors" does not exist'),
        csv(f"{PLACE}:50123", "LOG", "00000", "connection authorized: user=ada"),
        csv(f"{PLACE}:50123", "FATAL", "57P03", "the database system is starting up"),
        '2026-11-25 06:00:00.123 UTC,"ada","atom",4711,"authentication"',
        "{",
    ],
)
def test_other_lines_of_postgres_are_none(line: str) -> None:
    assert of_postgres(line.encode(), UTC) is None


@pytest.mark.parametrize(
    ("at", "zone"),
    [
        ("2026-11-25 06:00:00.000 UTC", "Europe/Berlin"),
        ("2026-11-25 06:00:00.000 GMT", "Europe/Berlin"),
        ("2026-11-25 07:00:00.000 CET", "Europe/Berlin"),
        ("2026-11-25 03:00:00.000 -03", "Europe/Berlin"),
        ("2026-11-25 11:30:00.000 +0530", "UTC"),
    ],
)
def test_its_time_is_that_of_the_server(at: str, zone: str) -> None:
    message = 'password authentication failed for user "ada"'
    lines = (
        f"{at} [4] FATAL:  {message}",
        js(timestamp=at, error_severity="FATAL", message=message),
        csv(PLACE, "FATAL", "28P01", message, at=at),
    )
    for line in lines:
        found = of_postgres(line.encode(), ZoneInfo(zone))
        assert found is not None
        assert found.time == SIX
