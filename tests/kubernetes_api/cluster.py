"""A cluster in this process: API server, controllers and kubelet, reached by a kubeconfig like any other."""

import base64
import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.certificates import authority, leaf, shown
from tests.kubernetes_api.admin import Admin
from tests.kubernetes_api.controllers import Controllers
from tests.kubernetes_api.kubelet import Kubelet, log_of
from tests.kubernetes_api.patches import Json
from tests.kubernetes_api.store import Refused, Store
from tests.kubernetes_api.wire import ApiServer, Settings

_TOKENS = {"token-of-the-operator": "atomops", "token-of-the-admin": "admin"}


@dataclass
class Cluster:
    """`kubeconfig` is the operator's, "atomops"; `admin` does what tests need besides.

    `settings` and `controllers` are what tests bend of a cluster in this process; a real control plane's are idle.
    """

    url: str
    kubeconfig: Path
    admin: Admin
    kubelet: Kubelet
    settings: Settings = field(default_factory=Settings)
    controllers: Controllers = field(default_factory=lambda: Controllers(Store()))


@contextlib.contextmanager
def cluster_in_process(folder: Path) -> Iterator[Cluster]:
    root = authority()
    (folder / "ca.pem").write_bytes(root.pem)
    settings = Settings(tokens=dict(_TOKENS), logs=_logs)
    store = Store()
    server = ApiServer(store, settings, shown(folder, leaf(root), root))
    server.serve()
    url = f"https://127.0.0.1:{server.server_address[1]}"
    admin = Admin.of(url, "token-of-the-admin", folder / "ca.pem")
    kubelet, controllers = Kubelet(admin), Controllers(store)
    kubeconfig = write_kubeconfig(folder / "kubeconfig", url, "token-of-the-operator", root.pem)
    kubelet.start()
    controllers.start()
    try:
        yield Cluster(url, kubeconfig, admin, kubelet, settings, controllers)
    finally:
        kubelet.stop()
        controllers.stop()
        server.shutdown()
        server.server_close()
        admin.close()


def write_kubeconfig(path: Path, url: str, token: str, ca: bytes) -> Path:
    """Two contexts: "test" is the current one, "nobody" has no credentials."""
    cluster = {"server": url, "certificate-authority-data": base64.b64encode(ca).decode()}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "here", "cluster": cluster}],
        "users": [{"name": "operator", "user": {"token": token}}, {"name": "nobody", "user": {}}],
        "contexts": [
            {"name": "test", "context": {"cluster": "here", "user": "operator"}},
            {"name": "nobody", "context": {"cluster": "here", "user": "nobody"}},
        ],
        "current-context": "test",
    }
    path.write_text(json.dumps(config))  # JSON is YAML
    return path


def _logs(pod: Json, query: dict[str, str]) -> str:
    status, text = log_of(pod, query)
    if status != 200:
        raise Refused(status, "BadRequest", text)
    return text
