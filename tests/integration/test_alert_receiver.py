"""The receiver over real HTTP: what it refuses, what it keeps, and a real Alertmanager that sends to it."""

import asyncio
import contextlib
import datetime as dt
import json
import logging
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
import yaml

from atomops.alerts import spool
from atomops.alerts.incidents import incidents_path, mark, put_in_order, read_incidents
from atomops.alerts.receiver import MOST_BYTES, application
from atomops.alerts.recent import changes_since, look_around
from atomops.alerts.waking import Waker
from atomops.change.audit import Entry, audit_path, record
from atomops.errors import PermanentError, TimedOut, Unreachable
from atomops.facts.incidents import IncidentFacts
from atomops.inventory import Target
from atomops.plans.telling import identity, told
from atomops.stores.kept_files import locked
from atomops.verdict import Unseen
from tests import monitoring, servers
from tests.peers import refused_port
from tests.ports import own_port
from tests.targets import target
from tests.waiting import PATIENCE, wait_until

SHIPPED = Path(__file__).parents[2] / "deployments" / "alertmanager" / "alertmanager.yml"
TOKEN = "open sesame"
pytestmark = pytest.mark.slow(15)


def at(folder: Path, name: str = "berlin", **parts: Any) -> Target:  # noqa: ANN401 - as in an inventory
    return target(history=folder, **parts).model_copy(update={"name": name})


@contextlib.contextmanager
def receiving(*targets: Target) -> Iterator[str]:
    port = own_port()
    config = uvicorn.Config(application(targets, TOKEN), port=port, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started, "the receiver")
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE)


def payload(*names: str, status: str = "firing", began: str = "2026-11-25T09:00:00Z", **labels: str) -> bytes:
    alerts = [
        {
            "status": status,
            "labels": {"alertname": name, "severity": "critical", **labels},
            "startsAt": began,
            "endsAt": began,
        }
        for name in names
    ]
    return json.dumps({"version": "4", "alerts": alerts}).encode()


def post(url: str, body: bytes, token: str | None = TOKEN, **headers: str) -> httpx.Response:
    known = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx.post(f"{url}/alerts", content=body, headers={**known, **headers}, timeout=30, trust_env=False)


def facts(world: Target) -> IncidentFacts:
    return asyncio.run(put_in_order(world, (world,)))


def test_what_is_not_alertmanagers_is_refused_with_a_reason_and_nothing_is_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    berlin, rome = at(tmp_path), at(tmp_path, "rome")
    caplog.set_level(logging.INFO, "atomops.alerts")
    with receiving(berlin, rome) as url:
        assert post(url, payload("A"), token=None).status_code == 401
        assert post(url, payload("A"), token="open sesam").status_code == 401
        assert httpx.post(f"{url}/alerts", headers={"Authorization": TOKEN}, trust_env=False).status_code == 401
        malformed = post(url, b'{"version": "4"}')
        assert (malformed.status_code, "alerts: Field required" in malformed.json()["error"]) == (400, True)
        assert post(url, b" " * (MOST_BYTES + 1)).status_code == 413
        chunks = httpx.post(
            f"{url}/alerts",
            content=iter([b" " * 1024 * 1024] * 9),
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=30,
            trust_env=False,
        )
        assert chunks.status_code == 413
        stranger = post(url, payload("A", target="paris"))
        assert (stranger.status_code, stranger.json()["error"]) == (422, "for no target of the inventory: A")
        assert httpx.get(f"{url}/healthz", trust_env=False).text == "ok"
    assert not spool.is_used(berlin)
    assert "refused with 400" in caplog.text
    assert TOKEN not in caplog.text


def test_alerts_are_on_disk_by_target_when_they_are_answered(tmp_path: Path) -> None:
    berlin, rome = at(tmp_path), at(tmp_path, "rome", alerts={"match": {"job": "atom-rome"}})
    with receiving(berlin, rome) as url:
        mixed = json.loads(payload("A", "B", target="berlin"))
        mixed["alerts"] += json.loads(payload("C", job="atom-rome"))["alerts"] + json.loads(payload("D"))["alerts"]
        answer = post(url, json.dumps(mixed).encode())
        assert answer.json() == {"kept": {"berlin": 2, "rome": 1}, "for no target": 1}
        assert len(spool.waiting(berlin)) == len(spool.waiting(rome)) == 1
        spool.folder_of(rome).joinpath("spool").rename(tmp_path / "moved")
        spool.folder_of(rome).joinpath("spool").write_text("in the way")
        assert post(url, payload("C", target="rome")).status_code == 503
    assert [each.name for each in facts(berlin).open] == ["A", "B"]
    assert spool.waiting(berlin) == ()


def test_a_damaged_file_is_set_aside_and_the_others_are_handled(tmp_path: Path) -> None:
    berlin = at(tmp_path)
    with receiving(berlin) as url:
        post(url, payload("A"))
        (spool.folder_of(berlin) / "spool" / "00.json").write_text("{")
        seen = facts(berlin)
    assert [each.name for each in seen.open] == ["A"]
    assert [each.partition(":")[0] for each in seen.spooled.broken] == ["00.json"]
    assert facts(berlin).spooled.broken == ()


def test_who_is_killed_before_the_spool_is_emptied_handles_it_once_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    berlin = at(tmp_path, notify={"on_call": ["pager-duty-webhook/ours"]})
    with receiving(berlin) as url:
        post(url, payload("A"))
    with monkeypatch.context() as killed:
        killed.setattr(spool, "forget", lambda _files: os.sync())
        first = facts(berlin)
    mark(berlin, told(first, first.at))
    second = facts(berlin)
    assert (second.new, second.spooled.replays) == ((), 1)
    assert second.open[0].told == first.at
    assert spool.waiting(berlin) == ()


def test_two_runs_wait_for_each_other_and_damage_is_told(tmp_path: Path) -> None:
    berlin = at(tmp_path)
    with locked(tmp_path / "lock", seconds=1), pytest.raises(TimedOut), locked(tmp_path / "lock", seconds=0.1):
        pass
    facts(berlin)
    incidents_path(berlin).write_text("{")
    with pytest.raises(PermanentError, match=r"incidents\.json says nothing that we know"):
        facts(berlin)


def test_a_run_is_asked_for_once_until_somebody_begins_and_again_when_the_server_is_back(tmp_path: Path) -> None:
    berlin, asked, away = at(tmp_path, alerts={"look_again_minutes": 1}), [], [True]

    async def ask(_target: Target, reason: str) -> None:
        if away[0]:
            raise Unreachable("nobody hears us")
        asked.append(reason)

    waker = Waker(berlin, ask)

    def turns(number: int = 3) -> int:
        for _ in range(number):
            waker.retry_at = 0
            asyncio.run(waker.turn())
        return len(asked)

    assert turns() == 0
    with receiving(berlin) as url:
        post(url, payload("A"))
        assert turns() == 0
        assert waker.pause > 1
        away[0] = False
        assert turns() == 1
        post(url, payload("B"))
        assert turns() == 1  # the run that is to come takes this one too
        waker.asked_at -= 400
        assert turns() == 2  # nobody has begun for longer than five minutes
        assert waker.patience == 600
        facts(berlin)
        assert turns() == 2
        post(url, payload("C"))
        assert turns() == 3  # one runs, one waits
    facts(berlin)
    kept = read_incidents(berlin)
    assert turns() == 3
    earlier = spool.now() - 120
    os.utime(spool.folder_of(berlin) / "drained", (earlier, earlier))
    waker.asked_at = earlier - 1
    text = incidents_path(berlin).read_text()
    assert kept.looked is not None
    incidents_path(berlin).write_text(
        text.replace(f'"looked":"{_json(kept.looked)}"', '"looked":"2026-01-01T00:00:00Z"')
    )
    assert turns() == 4
    assert asked[-1] == "an open incident is looked at again"


def _json(moment: dt.datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


@pytest.fixture(scope="module")
def program() -> Path:
    return servers.required(servers.alertmanager)


def test_the_configuration_that_we_ship_is_valid(program: Path) -> None:
    checked = subprocess.run(
        [program.with_name("amtool"), "check-config", SHIPPED], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_real_alertmanager_tells_the_receiver_and_is_asked_itself(
    program: Path, server_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(TOKEN)
    config = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    config["route"] |= {"group_wait": "100ms", "group_interval": "1s"}
    (hook,) = config["receivers"][0]["webhook_configs"]
    hook["http_config"]["authorization"]["credentials_file"] = str(tmp_path / "token")
    berlin = at(tmp_path)
    with receiving(berlin) as url:
        hook["url"] = f"{url}/alerts"
        with monitoring.alertmanager(program, server_folder, config) as running:
            running.fire(alertname="HighErrorRate", severity="critical", target="berlin", job="atom")
            wait_until(lambda: spool.waiting(berlin), "the alert")
            (signal,) = spool.drain(berlin).signals
            settings = {"url": f"http://127.0.0.1:{refused_port()}", "alertmanager_url": running.url}
            asking = at(tmp_path, prometheus=settings)
            seen = facts(asking)
            assert [identity(each) for each in seen.open] == [f"{signal.key} {signal.began.timestamp()}"]
            assert seen.asked == (f"Alertmanager {running.url}",)
            running.silence("HighErrorRate", until=dt.datetime.now(dt.UTC) + dt.timedelta(hours=1))
            wait_until(running.hidden, "the silence")
            assert len(facts(asking).open) == 1  # silenced is not over
            assert facts(at(tmp_path / "new", prometheus=settings)).open == ()  # and opens nothing
    unasked = facts(asking).unasked
    assert unasked is not None
    assert "refuses the connection" in unasked.reason
    other = at(tmp_path, prometheus={"url": f"http://127.0.0.1:{refused_port()}"})
    assert facts(other).unasked is None  # the webhook tells us


def test_earlier_changes_are_read_from_the_trail_one_line_a_run(tmp_path: Path) -> None:
    berlin, now = at(tmp_path), dt.datetime.now(dt.UTC)
    assert changes_since(berlin, now) == ()
    for result in ("started", "done"):
        record(berlin, Entry(now, "restart-service", "berlin", "run-1", result, plan=("restart: it",)))
    record(berlin, Entry(now - dt.timedelta(days=3), "vacuum-tables", "berlin", "run-0", "done"))
    with audit_path(berlin).open("a") as trail:
        trail.write('{"torn": \n[1]\n{"what": "x"}\n')
    seen = asyncio.run(look_around(berlin, IncidentFacts(now, (), 60, 24)))
    assert not isinstance(seen.changes, Unseen)
    assert [(each.what, each.result, each.detail) for each in seen.changes] == [
        ("restart-service", "done", "restart: it")
    ]
    assert isinstance(seen.runs, Unseen)
    audit_path(berlin).unlink()
    audit_path(berlin).mkdir()
    assert isinstance(changes_since(berlin, now), Unseen)
