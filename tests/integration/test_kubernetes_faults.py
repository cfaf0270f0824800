"""An API server that refuses, is busy, is away or is none: told apart, tried again while it may help, and named."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kubernetes.config import incluster_config

from atomops.errors import AccessDenied, BadAnswer, InventoryError, NotThere, TemporaryError, TimedOut, Unreachable
from atomops.runtimes.kubernetes import KubernetesRuntime
from atomops.runtimes.kubernetes.calls import Conflict
from atomops.runtimes.kubernetes.workload import REPLICAS
from tests.certificates import authority
from tests.kubernetes_api.cluster import write_kubeconfig
from tests.kubernetes_api.objects import deployment
from tests.kubernetes_api.place import Place, run
from tests.kubernetes_api.request import Request
from tests.kubernetes_api.store import Refused
from tests.peers import refused_port
from tests.waiting import wait_until


def only_once(verb: str, refused: Refused) -> Callable[[Request], None]:
    """The first request of this kind is refused."""
    left = [refused]

    def before(request: Request) -> None:
        if request.verb == verb and left:
            raise left.pop()

    return before


def conflicting(place: Place, times: int) -> Callable[[Request], None]:
    """Somebody else changes the object just before each of our first patches."""
    left = list(range(times))

    def before(request: Request) -> None:
        if request.verb == "patch" and left:
            labels = {"metadata": {"labels": {"touched": str(left.pop())}}}
            place.admin.patch("apps", "deployments", "atom", labels)

    return before


def test_what_does_not_exist_is_named_with_its_namespace(place: Place) -> None:
    with pytest.raises(NotThere, match=rf"deployment {place.namespace}/atom does not exist on https://127.0.0.1"):
        run(place.runtime().describe())


def test_a_conflict_is_tried_again_with_a_fresh_object(bent: Place) -> None:
    bent.deploy(deployment(replicas=2))
    before = run(bent.runtime().describe())
    bent.cluster.settings.before = conflicting(bent, 2)
    run(bent.runtime().stop(before))
    found = bent.found()
    assert found["metadata"]["labels"] == {"touched": "0"}
    assert found["metadata"]["annotations"][REPLICAS] == "2"
    assert found["spec"]["replicas"] == 0


def test_a_conflict_that_does_not_end_is_told_and_changes_nothing(bent: Place) -> None:
    bent.deploy(deployment(replicas=1))
    before = run(bent.runtime().describe())
    bent.cluster.settings.before = conflicting(bent, 100)
    with pytest.raises(Conflict, match="is changed by somebody else all the time") as caught:
        run(bent.runtime().stop(before))
    assert isinstance(caught.value, TemporaryError)
    assert run(bent.runtime().describe()).ready == 1


@pytest.mark.parametrize(
    "refused",
    [
        Refused(429, "TooManyRequests", "too many requests, please try again later", wait=1),
        Refused(503, "ServiceUnavailable", "apiserver is shutting down"),
        Refused(500, "InternalError", "etcdserver: leader changed"),
    ],
    ids=["429", "503", "500"],
)
def test_a_busy_server_is_asked_again_as_late_as_it_wants(bent: Place, refused: Refused) -> None:
    bent.deploy(deployment(replicas=1))
    bent.cluster.settings.before = only_once("list", refused)
    begun = time.monotonic()
    assert run(bent.runtime().describe()).ready == 1
    assert time.monotonic() - begun >= refused.wait


def test_a_webhook_that_fails_again_and_again_is_told_without_waiting_for_ever(bent: Place) -> None:
    bent.deploy(deployment(replicas=1))

    def before(request: Request) -> None:
        if request.verb == "patch":
            raise Refused(500, "InternalError", 'failed calling webhook "policy.example.com": no endpoints available')

    bent.cluster.settings.before = before
    with pytest.raises(Unreachable, match="failed calling webhook"):
        run(bent.runtime(within=600).restart())


def test_a_policy_that_refuses_a_change_is_told_apart_from_a_missing_right(bent: Place) -> None:
    bent.deploy(deployment(replicas=1))
    says = 'admission webhook "policy.example.com" denied the request: not on a Friday'
    bent.cluster.settings.before = only_once("patch", Refused(403, "Forbidden", says))
    with pytest.raises(AccessDenied, match=r"not on a Friday: look at admission policies"):
        run(bent.runtime().restart())


def test_an_api_that_goes_in_the_middle_and_comes_back_is_waited_for(bent: Place) -> None:
    bent.deploy(deployment())
    settings = bent.cluster.settings

    def after(request: Request) -> None:
        if request.verb == "patch":
            settings.is_down = True
            threading.Timer(1, lambda: setattr(settings, "is_down", False)).start()

    settings.after = after
    run(bent.runtime().restart())
    settings.after = lambda _request: None
    assert run(bent.runtime().describe()).revision == "2"


def test_an_api_that_goes_and_stays_away_is_unreachable_when_the_time_is_over(bent: Place) -> None:
    bent.deploy(deployment(replicas=1))
    before = run(bent.runtime().describe())
    bent.cluster.settings.after = lambda request: setattr(bent.cluster.settings, "is_down", request.verb == "patch")
    with pytest.raises(Unreachable, match=r"does not answer.*and so for"):
        run(bent.runtime(within=2).stop(before))
    bent.cluster.settings.is_down = False
    bent.cluster.settings.after = lambda _request: None
    run(bent.runtime().start(before))
    assert run(bent.runtime().describe()).ready == 1


def kubeconfig_of(folder: Path, address: str) -> Path:
    return write_kubeconfig(folder / "elsewhere", address, "token-of-the-operator", authority().pem)


def impatient(place: Place, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> KubernetesRuntime:  # noqa: ANN401 - as in an inventory
    """One that asks once."""
    monkeypatch.setattr("atomops.runtimes.kubernetes.runtime._LOOK_SECONDS", 0)
    return place.runtime(**settings)


def test_a_server_that_never_answers_is_left_in_time(
    bent: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        config = kubeconfig_of(tmp_path, f"https://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(TimedOut, match="did not answer get deployments atom in namespace"):
            run(impatient(bent, monkeypatch, kubeconfig=config, timeout=0.3).describe())


def test_a_server_that_is_not_there_is_unreachable(
    bent: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = kubeconfig_of(tmp_path, f"https://127.0.0.1:{refused_port()}")
    with pytest.raises(Unreachable, match="Connection refused"):
        run(impatient(bent, monkeypatch, kubeconfig=config).describe())


def test_a_certificate_that_is_not_trusted_is_named(bent: Place, tmp_path: Path) -> None:
    config = kubeconfig_of(tmp_path, bent.cluster.url)
    with pytest.raises(BadAnswer, match="certificate that is not trusted"):
        run(bent.runtime(kubeconfig=config).describe())


def test_a_token_that_has_expired_is_asked_for_anew_then_told(bent: Place) -> None:
    bent.deploy(deployment(replicas=1))
    runtime = bent.runtime()
    run(runtime.describe())
    tokens = bent.cluster.settings.tokens
    config = json.loads(bent.cluster.kubeconfig.read_text())
    tokens["a-newer-token"] = tokens.pop("token-of-the-operator")
    with pytest.raises(AccessDenied, match=r"does not accept our credentials \(401\)"):
        run(runtime.describe())
    config["users"][0]["user"]["token"] = "a-newer-token"
    bent.cluster.kubeconfig.write_text(json.dumps(config))
    assert run(runtime.describe()).ready == 1


def test_a_user_without_credentials_is_nobody(bent: Place) -> None:
    with pytest.raises(AccessDenied, match="takes us for nobody"):
        run(bent.runtime(context="nobody").describe())


def exec_config(place: Place, script: Path, text: str) -> Path:
    script.write_text(f"#!/bin/sh\n{text}\n")
    script.chmod(0o755)
    config = json.loads(place.cluster.kubeconfig.read_text())
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(script)}
    config["users"][0]["user"] = {"exec": plugin}
    path = script.with_suffix(".kubeconfig")
    path.write_text(json.dumps(config))
    return path


def test_a_plugin_that_gives_a_token_is_run_and_one_that_fails_is_named(bent: Place, tmp_path: Path) -> None:
    bent.deploy(deployment(replicas=1))
    credential = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": "token-of-the-operator"},
    }
    good = exec_config(bent, tmp_path / "good", f"echo '{json.dumps(credential)}'")
    assert run(bent.runtime(kubeconfig=good).describe()).ready == 1
    bad = exec_config(bent, tmp_path / "bad", "echo 'token expired' >&2; exit 1")
    with pytest.raises(AccessDenied, match=r"bad, which the kubeconfig's user operator names, gives no credentials"):
        run(bent.runtime(kubeconfig=bad).describe())


def test_a_plugin_that_hangs_is_left_in_time(bent: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = exec_config(bent, tmp_path / "hangs", "exec sleep 5")
    with pytest.raises(TimedOut):
        run(impatient(bent, monkeypatch, kubeconfig=config, timeout=0.2).describe())


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        (None, NotThere, "does not exist"),
        ("", InventoryError, "is empty|cannot be used"),
        ("{", InventoryError, "is no YAML"),
        ("contexts: 7", InventoryError, "cannot be used"),
        ("contexts: []", NotThere, "has no current context"),
    ],
)
def test_a_kubeconfig_that_cannot_be_used_is_named(
    bent: Place, tmp_path: Path, text: str | None, error: type[Exception], says: str
) -> None:
    path = tmp_path / "config"
    if text is not None:
        path.write_text(text)
    with pytest.raises(error, match=says) as caught:
        run(bent.runtime(kubeconfig=path).describe())
    assert str(path) in str(caught.value)


def test_a_context_that_is_not_there_is_named_with_those_that_are(bent: Place) -> None:
    with pytest.raises(NotThere, match=r"has no context production: runtime.context is one of test, nobody"):
        run(bent.runtime(context="production").describe())


def test_without_a_kubeconfig_and_outside_of_a_cluster_one_is_asked_for(
    bent: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(NotThere, match=r"there is no kubeconfig .* and this is no pod of a cluster"):
        run(bent.runtime(kubeconfig=None).describe())
    with pytest.raises(NotThere, match="to have the context test"):
        run(bent.runtime(kubeconfig=None, context="test").describe())


def test_a_kubeconfig_of_the_environment_is_used(bent: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    bent.deploy(deployment(replicas=1))
    monkeypatch.setenv("KUBECONFIG", f"/nowhere:{bent.cluster.kubeconfig}")
    assert run(bent.runtime(kubeconfig=None).describe()).ready == 1


def test_a_pod_uses_its_own_account(bent: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bent.deploy(deployment(replicas=1))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", bent.cluster.url.rpartition(":")[2])
    (tmp_path / "token").write_text("token-of-the-operator\n")
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(bent.cluster.kubeconfig.parent / "ca.pem"))
    assert run(bent.runtime(kubeconfig=None).describe()).ready == 1
    (tmp_path / "token").unlink()
    with pytest.raises(NotThere, match="no account of its own"):
        run(bent.runtime(kubeconfig=None).describe())


def test_a_long_list_is_read_page_by_page(bent: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atomops.runtimes.kubernetes.api._PAGE", 2)
    bent.deploy(deployment(replicas=5))
    assert run(bent.runtime().describe()).ready == 5


def test_whoever_gives_up_waiting_is_free_at_once(bent: Place) -> None:
    bent.deploy(deployment(replicas=1, image="atom:slow-stop"))

    async def cancelled() -> None:
        runtime = bent.runtime()
        stopping = asyncio.create_task(runtime.stop(await runtime.describe()))
        await asyncio.to_thread(wait_until, lambda: REPLICAS in bent.found()["metadata"]["annotations"], "the stop")
        stopping.cancel()
        await asyncio.gather(stopping, return_exceptions=True)

    run(cancelled())
    assert bent.pods()  # it ends only when the test says so
    assert bent.found()["metadata"]["annotations"][REPLICAS] == "1"
