"""Which Prefect server a run talks to: the configured one if it answers, else none at all."""

import urllib.error
import urllib.request
from typing import Any

import typer
from prefect.settings import PREFECT_API_URL, PREFECT_SERVER_ALLOW_EPHEMERAL_MODE

_TIMEOUT = 2  # seconds


def usable_server() -> dict[Any, Any]:
    """Settings that keep a run independent of the server: a configured one that does not answer is left out."""
    address = PREFECT_API_URL.value()
    if address and _answers(address):
        return {}
    if address:
        typer.echo(f"The Prefect server {address} does not answer; running without it.", err=True)
    return {PREFECT_API_URL: None, PREFECT_SERVER_ALLOW_EPHEMERAL_MODE: True}


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=_TIMEOUT) as answer:  # noqa: S310 - Prefect's own URL
            return bool(answer.status == 200)  # noqa: PLR2004 - HTTP's own number
    except (urllib.error.URLError, OSError, ValueError):
        return False
