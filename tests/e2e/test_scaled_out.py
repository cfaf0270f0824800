"""Prefect on PostgreSQL and Redis, as we ship it: nobody is let in without the password."""

import shutil
from collections.abc import Iterator

import httpx
import pytest

from atomops.scratch.place import make_folder
from tests.scaled_out import PASSWORD, USER, Stack, scaled_out

pytestmark = pytest.mark.slow(20)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    folder = make_folder("atomops-scaled-")
    with scaled_out(folder, services=False) as running:
        yield running
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("path", ["admin/settings", "version", "csrf-token?client=x", "flow_run_states/", "docs"])
def test_nobody_is_let_in_without_the_password(stack: Stack, path: str) -> None:
    for wrong in (None, (USER, "wrong"), ("", "")):
        answer = httpx.get(f"{stack.url}/api/{path}", auth=wrong, trust_env=False)
        assert answer.status_code == httpx.codes.UNAUTHORIZED


def test_the_pages_hold_nothing_but_ask_the_api_with_the_password(stack: Stack) -> None:
    settings = httpx.get(f"{stack.url}/ui-settings", trust_env=False).json()
    assert settings["auth"] == "BASIC"
    assert settings["csrf_enabled"] is True
    assert settings["api_url"] == "/api"
    page = httpx.get(f"{stack.url}/v2/", trust_env=False, follow_redirects=True)
    assert "<html" in page.text
    assert PASSWORD not in page.text


def test_a_change_needs_the_token_against_forged_requests(stack: Stack) -> None:
    url, auth = f"{stack.url}/api/flow_runs/count", (USER, PASSWORD)
    assert httpx.post(url, auth=auth, json={}, trust_env=False).status_code == httpx.codes.FORBIDDEN
    assert isinstance(stack.ask("POST", "/flow_runs/count", json={}), int)
