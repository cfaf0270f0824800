"""A real Alertmanager and a real node exporter on free ports of 127.0.0.1, gone with their `with`."""

import contextlib
import datetime as dt
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from atomops import shell
from tests.ports import own_port
from tests.waiting import wait_until_up


@dataclass(frozen=True)
class Alertmanager:
    url: str

    @property
    def address(self) -> str:
        return self.url.removeprefix("http://")

    def fire(self, **labels: str) -> None:
        """As Prometheus does."""
        self._post("/alerts", [{"labels": labels}])

    def silence(self, alertname: str, *, until: dt.datetime) -> str:
        matcher = {"name": "alertname", "value": alertname, "isRegex": False}
        window = {"startsAt": dt.datetime.now(dt.UTC).isoformat(), "endsAt": until.isoformat()}
        words = {"createdBy": "ada", "comment": "being repaired"}
        answer = self._post("/silences", {"matchers": [matcher], **window, **words})
        number: str = answer["silenceID"]
        return number

    def expire(self, number: str) -> None:
        httpx.delete(f"{self.url}/api/v2/silence/{number}", timeout=30, trust_env=False).raise_for_status()

    def hidden(self) -> set[str]:
        """The names of the alerts that it holds back."""
        alerts = httpx.get(f"{self.url}/api/v2/alerts", timeout=30, trust_env=False).raise_for_status().json()
        return {alert["labels"]["alertname"] for alert in alerts if alert["status"]["silencedBy"]}

    def _post(self, path: str, body: object) -> Mapping[str, str]:
        answer = httpx.post(f"{self.url}/api/v2{path}", json=body, timeout=30, trust_env=False).raise_for_status()
        found: Mapping[str, str] = answer.json() if answer.content else {}
        return found


@contextlib.contextmanager
def alertmanager(program: Path, folder: Path, config: object = None) -> Iterator[Alertmanager]:
    """With a configuration that tells nobody, unless another is given."""
    config = config or {"route": {"receiver": "x"}, "receivers": [{"name": "x"}]}
    home = folder / f"alertmanager-{secrets.token_hex(3)}"
    home.mkdir()
    (home / "alertmanager.yml").write_text(json.dumps(config))
    address = f"127.0.0.1:{own_port()}"
    argv: list[str | Path] = [
        program,
        f"--config.file={home}/alertmanager.yml",
        f"--storage.path={home}/data",
        "--log.level=warn",
    ]
    argv += [f"--web.listen-address={address}", "--cluster.listen-address="]
    templates = program.parent.parent / "share" / "prometheus" / "alertmanager"
    with _running(argv, home, templates if templates.exists() else home, f"http://{address}/-/ready"):
        yield Alertmanager(f"http://{address}")


@contextlib.contextmanager
def node_exporter(program: Path, folder: Path) -> Iterator[str]:
    """Its address, host:port."""
    home = folder / f"node-exporter-{secrets.token_hex(3)}"
    home.mkdir()
    address = f"127.0.0.1:{own_port()}"
    with _running([program, f"--web.listen-address={address}"], home, home, f"http://{address}/metrics"):
        yield address


@contextlib.contextmanager
def _running(argv: Sequence[str | Path], home: Path, cwd: Path, url: str) -> Iterator[None]:
    server = shell.start(argv, log=home / "server.log", cwd=cwd)
    try:
        wait_until_up(server, lambda: _answers(url))
        yield
    finally:
        server.stop()


def _answers(url: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(url, timeout=5, trust_env=False).is_success
    return False
