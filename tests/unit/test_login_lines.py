"""Which lines tell of a failed login, in every shape that the application and PostgreSQL write."""

import datetime as dt
import json

import pytest

from atomops.probes.security.login_lines import CANDIDATE, of_application
from atomops.probes.security.redis_access import dangerous

UTC = dt.UTC
ADA, PLACE = "ada@example.com", "203.0.113.7"


def js(**fields: object) -> str:
    return json.dumps({"timestamp": "2026-11-25T06:00:00Z", **fields})


@pytest.mark.parametrize(
    ("line", "account", "address"),
    [
        (f"WARNING:api.auth_routes:Failed login for {ADA} from {PLACE}", ADA, PLACE),
        (
            f"2026-11-25 06:00:00,123 WARNING [core.auth] Authentication failed for user 'ada' ({PLACE}:5123)",
            "ada",
            PLACE,
        ),
        ("ERROR:api:Unauthorized", "", ""),
        ("WARNING:api:Invalid credentials for account ada", "ada", ""),
        (js(level="WARNING", message=f"Login failed for {ADA}", ip_address=PLACE), ADA, PLACE),
        (js(event="Login failed", level="info", user_email=ADA, client_ip=f"{PLACE}"), ADA, PLACE),
        (js(event="auth.failure", level="debug", user="ada", remote_addr="2001:db8::7"), "ada", "2001:db8::7"),
        (js(level="ERROR", message="request refused", error_code="INVALID_CREDENTIALS", user_id=17), "17", ""),
        (js(level="info", event="request", path="/api/auth/login", status_code=401, ip=PLACE), "", PLACE),
        (js(level="error", event="wrong password", username="ada bob", client="::1"), "", "::1"),
    ],
)
def test_failed_logins_are_told_with_their_account_and_address(line: str, account: str, address: str) -> None:
    found = of_application(line.encode(), UTC)
    assert found is not None
    assert (found.account, found.address) == (account, address)
    assert CANDIDATE.search(line.encode())


@pytest.mark.parametrize(
    "line",
    [
        "INFO:api:unauthorized access is answered with 401",  # what the guide's grep counts
        "INFO:docs:how to handle failed authentication",
        js(level="info", message="no failed authentication today"),
        js(level="info", event="request", path="/api/agents", status_code=401),
        js(level="error", message="Database connection failed"),
        js(level=3, message="unauthorized"),
        '{"level": "error", "message": "unauthorized"',
        "Traceback: unauthorized",
        "WARNING:api:token refreshed, authentication succeeded",
    ],
)
def test_a_word_in_another_line_is_no_failed_login(line: str) -> None:
    assert of_application(line.encode(), UTC) is None


def test_no_secret_passes_for_an_account() -> None:
    token = "sk-" + "a1b2c3d4" * 4
    for line in (
        js(level="warning", event="login_failed", user=token),
        js(level="warning", message=f"login failed for {token}"),
        f"WARNING:auth:Invalid password for user password={token}",
    ):
        found = of_application(line.encode(), UTC)
        assert found is not None
        assert token not in str(found)


def test_the_rules_of_a_redis_user_tell_what_it_may_destroy() -> None:
    assert "flushall" in dangerous(["+@all"])
    assert dangerous(["+@all", "-@dangerous", "+info"]) == ()
    assert dangerous(["-@all", "+get", "+CONFIG"]) == ("config",)
    assert "keys" not in dangerous(["+@all", "-keys"])
