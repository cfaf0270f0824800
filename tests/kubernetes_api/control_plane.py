"""A real control plane, where its programs can be had: etcd, kube-apiserver, kube-controller-manager, and our kubelet.

`ATOMOPS_KUBERNETES` names the folder of the three programs. Nothing that pip, npm or Debian install brings them, so the
tests run against `cluster_in_process`, and against this when the variable is set.
"""

import contextlib
import os
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.certificates import authority, leaf, shown
from tests.kubernetes_api.admin import Admin
from tests.kubernetes_api.cluster import Cluster, write_kubeconfig
from tests.kubernetes_api.kubelet import NODE, Kubelet, log_of
from tests.kubernetes_api.patches import Json
from tests.ports import own_port
from tests.waiting import wait_until

VARIABLE = "ATOMOPS_KUBERNETES"
_CONTROLLERS = "deployment,replicaset,statefulset,garbagecollector,disruption,resourcequota"


@contextlib.contextmanager
def control_plane(programs: Path, folder: Path) -> Iterator[Cluster]:
    with contextlib.ExitStack() as stack:
        root = authority()
        (folder / "ca.pem").write_bytes(root.pem)
        shown(folder, leaf(root))  # leaves the key and the certificate in one file
        pair = next(folder.glob("server-*.pem"))
        _service_account_key(folder / "accounts.pem")
        (folder / "tokens.csv").write_text("the-operator,atomops,1\nthe-admin,admin,2,system:masters\n")
        etcd, peer, port = own_port(), own_port(), own_port()
        start = _Starter(stack, programs, folder)
        start(
            "etcd",
            data_dir=folder / "etcd",
            listen_client_urls=f"http://127.0.0.1:{etcd}",
            advertise_client_urls=f"http://127.0.0.1:{etcd}",
            listen_peer_urls=f"http://127.0.0.1:{peer}",
            initial_advertise_peer_urls=f"http://127.0.0.1:{peer}",
            initial_cluster=f"default=http://127.0.0.1:{peer}",
            unsafe_no_fsync=None,
        )
        start(
            "kube-apiserver",
            etcd_servers=f"http://127.0.0.1:{etcd}",
            bind_address="127.0.0.1",
            secure_port=port,
            tls_cert_file=pair,
            tls_private_key_file=pair,
            token_auth_file=folder / "tokens.csv",
            authorization_mode="RBAC",
            disable_admission_plugins="ServiceAccount",
            service_account_issuer="https://kubernetes.default.svc",
            service_account_signing_key_file=folder / "accounts.pem",
            service_account_key_file=folder / "accounts.pem",
            service_cluster_ip_range="10.0.0.0/24",
        )
        url = f"https://127.0.0.1:{port}"
        admin = Admin.of(url, "the-admin", folder / "ca.pem")
        stack.callback(admin.close)
        _until_ready(url, folder / "ca.pem")
        manager = write_kubeconfig(folder / "manager", url, "the-admin", root.pem)
        start(
            "kube-controller-manager", kubeconfig=manager, controllers=_CONTROLLERS, leader_elect="false", secure_port=0
        )
        kubelet = Kubelet(admin)
        _register_node(admin, folder, stack)
        kubelet.start()
        stack.callback(kubelet.stop)
        yield Cluster(url, write_kubeconfig(folder / "kubeconfig", url, "the-operator", root.pem), admin, kubelet)


class _Starter:
    def __init__(self, stack: contextlib.ExitStack, programs: Path, folder: Path) -> None:
        self._stack, self._programs, self._folder = stack, programs, folder

    def __call__(self, program: str, **flags: object) -> None:
        argv = [f"--{key.replace('_', '-')}" + ("" if value is None else f"={value}") for key, value in flags.items()]
        log = self._stack.enter_context((self._folder / f"{program}.log").open("wb"))
        process = subprocess.Popen([self._programs / program, *argv], stdout=log, stderr=log)
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)


def _until_ready(url: str, ca_file: Path) -> None:
    context = ssl.create_default_context(cafile=str(ca_file))
    headers = {"Authorization": "Bearer the-admin"}

    def is_ready() -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{url}/readyz", verify=context, headers=headers, trust_env=False).status_code == 200
        return False

    wait_until(is_ready, "kube-apiserver to be ready")


def _service_account_key(path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.TraditionalOpenSSL
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))


def _register_node(admin: Admin, folder: Path, stack: contextlib.ExitStack) -> None:
    """A node whose kubelet answers questions for logs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _logs_of(admin))
    server.socket = shown(folder, leaf(None)).wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stack.callback(server.shutdown)
    node: Json = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}}
    port = {"kubeletEndpoint": {"Port": server.server_address[1]}}
    status = {"addresses": [{"type": "InternalIP", "address": "127.0.0.1"}], "daemonEndpoints": port}
    admin.ask("POST", "/api/v1/nodes", json=node)
    patch = {"Content-Type": "application/merge-patch+json"}
    admin.ask("PATCH", f"/api/v1/nodes/{NODE}/status", json={"status": status}, headers=patch)


def _logs_of(admin: Admin) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class has it
            pass

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            _, _, namespace, pod, container = parts.path.split("/")
            query = {**dict(parse_qsl(parts.query)), "container": container}
            status, text = log_of(admin.at(namespace).get("", "pods", pod), query)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

    return Handler


def programs() -> Path | None:
    """The folder that the environment names."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else None
