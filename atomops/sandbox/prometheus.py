"""A real Prometheus on a free port of 127.0.0.1, when its binary is on the machine."""

import contextlib
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import httpx
import yaml

from atomops import shell
from atomops.errors import TimedOut
from atomops.scratch.place import free_port

_START_SECONDS = 90

Rule = Mapping[str, object]  # as in a rules file


@dataclass(frozen=True)
class PrometheusServer:
    """A running server that scrapes, and looks at its rules, every second."""

    server: shell.Server
    url: str


@contextlib.contextmanager
def prometheus_server(  # noqa: PLR0913 - each is a plain property of the server
    program: Path,
    folder: Path,
    scraped: Mapping[str, str],
    *,
    metrics_path: str = "/metrics",
    users: Mapping[str, str] | None = None,
    data: Path | None = None,
    rules: Sequence[Rule] = (),
    alertmanager: str | None = None,
) -> Iterator[PrometheusServer]:
    """A ready server that scrapes `scraped` (job to host:port), its files in a new folder below `folder`.

    `users` are the names that may ask it, each with the bcrypt hash of its password; without them everybody may.
    `data` is a storage folder with a past, of `promtool tsdb create-blocks-from openmetrics`. `rules` are evaluated
    every second, and what fires is sent to `alertmanager` (host:port).
    """
    home = folder / f"prometheus-{secrets.token_hex(3)}"
    home.mkdir()
    jobs = [
        {"job_name": job, "metrics_path": metrics_path, "static_configs": [{"targets": [address]}]}
        for job, address in scraped.items()
    ]
    _write(home / "rules.yml", {"groups": [{"name": "atom", "rules": [dict(rule) for rule in rules]}]})
    told = [{"static_configs": [{"targets": [alertmanager]}]}] if alertmanager else []
    often = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    settings = {"global": often, "rule_files": ["rules.yml"], "scrape_configs": jobs}
    _write(home / "prometheus.yml", settings | {"alerting": {"alertmanagers": told}})
    _write(home / "web.yml", {"basic_auth_users": dict(users or {})})
    running = _start(program, home, data or home / "data")
    try:
        yield running
    finally:
        running.server.stop()


def _write(file: Path, tree: Mapping[str, object]) -> None:
    file.write_text(yaml.safe_dump(dict(tree)), encoding="utf-8")


def _start(program: Path, home: Path, data: Path) -> PrometheusServer:
    for _ in range(3):  # somebody else may take the free port first
        address = f"127.0.0.1:{free_port()}"
        argv: list[str | Path] = [program, f"--config.file={home}/prometheus.yml", f"--storage.tsdb.path={data}"]
        argv += [f"--web.listen-address={address}", f"--web.config.file={home}/web.yml", "--log.level=warn"]
        argv += ["--rules.alert.resend-delay=1s"]  # its first word to Alertmanager comes before it has found that
        server = shell.start(argv, log=home / "server.log", cwd=home)
        if _is_ready(server, f"http://{address}"):
            return PrometheusServer(server, f"http://{address}")
        server.stop()
    raise TimedOut(f"Prometheus does not start: {server.tail().strip()}", action="look at its log above")


def _is_ready(server: shell.Server, url: str) -> bool:
    """Whether it answers; with users it asks even this question for a password."""
    deadline = time.monotonic() + _START_SECONDS
    while server.is_running() and time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            status = httpx.get(f"{url}/-/ready", timeout=2, trust_env=False).status_code
            if status in {HTTPStatus.OK, HTTPStatus.UNAUTHORIZED}:
                return True
        time.sleep(0.05)
    return False
