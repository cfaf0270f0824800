"""A real Prometheus on a free port of 127.0.0.1, when its binary is on the machine."""

import contextlib
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from atomops import shell
from atomops.errors import TimedOut
from atomops.sandbox.place import free_port

_START_SECONDS = 30


@dataclass(frozen=True)
class PrometheusServer:
    """A running server that scrapes every second."""

    server: shell.Server
    url: str


@contextlib.contextmanager
def prometheus_server(
    program: Path, folder: Path, scraped: Mapping[str, str], *, metrics_path: str = "/metrics"
) -> Iterator[PrometheusServer]:
    """A ready server that scrapes `scraped` (job to host:port), its data in a new folder below `folder`."""
    home = folder / f"prometheus-{secrets.token_hex(3)}"
    home.mkdir()
    jobs = [
        {"job_name": job, "metrics_path": metrics_path, "static_configs": [{"targets": [address]}]}
        for job, address in scraped.items()
    ]
    configuration = home / "prometheus.yml"
    configuration.write_text(yaml.safe_dump({"global": {"scrape_interval": "1s"}, "scrape_configs": jobs}))
    running = _start(program, home, configuration)
    try:
        yield running
    finally:
        running.server.stop()


def _start(program: Path, home: Path, configuration: Path) -> PrometheusServer:
    for _ in range(3):  # somebody else may take the free port first
        address = f"127.0.0.1:{free_port()}"
        argv: list[str | Path] = [program, f"--config.file={configuration}", f"--storage.tsdb.path={home}/data"]
        argv += [f"--web.listen-address={address}", "--log.level=warn"]
        server = shell.start(argv, log=home / "server.log", cwd=home)
        if _is_ready(server, f"http://{address}"):
            return PrometheusServer(server, f"http://{address}")
        server.stop()
    raise TimedOut(f"Prometheus does not start: {server.tail().strip()}", action="look at its log above")


def _is_ready(server: shell.Server, url: str) -> bool:
    deadline = time.monotonic() + _START_SECONDS
    while server.is_running() and time.monotonic() < deadline:
        with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(f"{url}/-/ready", timeout=2):  # noqa: S310 - ours
            return True
        time.sleep(0.05)
    return False
