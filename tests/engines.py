"""A real Docker engine and a real systemd, each in namespaces of its own, so that this machine never notices them.

Only root can make them. Everything they start dies with them, also when the tests are killed.
"""

import asyncio
import contextlib
import io
import os
import shutil
import signal
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import docker

from atomops import shell
from tests import servers
from tests.waiting import PATIENCE, wait_until_up

TARGET = "atomops-test.target"
IMAGE = "tiny:1"
_ISOLATED = (
    "unshare",
    "--mount",
    "--pid",
    "--net",
    "--ipc",
    "--uts",
    "--fork",
    "--mount-proc",
    "--kill-child",
    "sh",
    "-ec",
)
_ALONE = """
mount --make-rprivate /
mkdir -p "$HOME_FOLDER/cgroup"
mount -t cgroup2 none "$HOME_FOLDER/cgroup"
mkdir -p "$HOME_FOLDER/cgroup/$CGROUP"
echo 0 > "$HOME_FOLDER/cgroup/$CGROUP/cgroup.procs"
umount "$HOME_FOLDER/cgroup"
mount -t tmpfs none /run
umount -R /sys/fs/cgroup 2>/dev/null || true
mount -t tmpfs none /sys/fs/cgroup
exec unshare --cgroup sh -ec 'mount -t cgroup2 none /sys/fs/cgroup; '"$THEN"
"""
_DOCKERD = """exec dockerd --data-root "$HOME_FOLDER/data" --exec-root "$HOME_FOLDER/exec" \
 --pidfile "$HOME_FOLDER/pid" --host "unix://$HOME_FOLDER/docker.sock" --storage-driver=vfs \
 --iptables=false --ip6tables=false --bridge=none --exec-opt native.cgroupdriver=cgroupfs"""
_SYSTEMD = """mkdir -p /run/systemd/journald.conf.d
ln -s "$HOME_FOLDER/units" /run/systemd/system
printf "[Journal]\\nAudit=no\\nReadKMsg=no\\nStorage=volatile\\n" > /run/systemd/journald.conf.d/test.conf
exec "$PROGRAM" --system --unit="$UNIT" --log-target=console --show-status=no"""
_TARGET_UNIT = """[Unit]
DefaultDependencies=no
Requires=systemd-journald.service
After=systemd-journald.service
"""
_APPLETS = ("cat", "echo", "false", "ls", "rm", "sh", "sleep", "test", "touch", "true")


@dataclass(frozen=True)
class DockerEngine:
    """A running engine, and an image with a shell and little else."""

    host: str
    client: docker.DockerClient


@dataclass(frozen=True)
class Systemd:
    """A running manager; `enter` is what runs a program where it is the one that answers."""

    units: Path
    pid: int

    @property
    def enter(self) -> list[str]:
        return ["nsenter", f"--target={self.pid}", "--mount", "--pid", "--"]

    def write(self, name: str, text: str) -> None:
        (self.units / name).write_text(text)

    def run(self, program: str, *arguments: str) -> str:
        argv = [*self.enter, f"/usr/bin/{program}", *arguments]
        return asyncio.run(shell.run(argv, timeout=PATIENCE)).stdout.decode()


@contextlib.contextmanager
def docker_engine(folder: Path) -> Iterator[DockerEngine]:
    """An engine that answers on a socket in the folder."""
    home = servers.required(servers.docker_engine)
    path = f"{home}/usr/sbin:{home}/usr/bin:{os.environ['PATH']}"
    with _alone(folder, _DOCKERD, {"PATH": path}) as server:
        host = f"unix://{folder}/docker.sock"
        _wait(server, (folder / "docker.sock").exists)
        with contextlib.closing(docker.DockerClient(base_url=host, timeout=30)) as client:
            _wait(server, client.ping)
            client.api.import_image_from_data(_image(home / "bin" / "busybox"), repository="tiny", tag="1")
            yield DockerEngine(host, client)


@contextlib.contextmanager
def systemd(folder: Path) -> Iterator[Systemd]:
    """A manager that has booted, with its journal, and nothing else."""
    program = servers.required(servers.systemd)
    units = folder / "units"
    units.mkdir()
    (units / TARGET).write_text(_TARGET_UNIT)
    for unwanted in ("systemd-journald-audit.socket", "systemd-journald-dev-log.socket", "systemd-networkd.socket"):
        (units / unwanted).symlink_to("/dev/null")  # masked: they reach out of the namespaces
    environment = {"PROGRAM": str(program), "UNIT": TARGET, "container": "atomops-test"}
    with _alone(folder, _SYSTEMD, environment) as server:
        manager = Systemd(units, _child_of(server))
        _wait(server, lambda: manager.run("systemctl", "is-active", TARGET).strip() == "active")
        yield manager


@contextlib.contextmanager
def _alone(folder: Path, then: str, environment: dict[str, str]) -> Iterator[shell.Server]:
    group = f"atomops-test-{folder.name}-{os.getpid()}"
    own = {"HOME_FOLDER": str(folder), "CGROUP": group, "THEN": then, **environment}
    server = shell.start([*_ISOLATED, _ALONE], log=folder / "engine.log", cwd=folder, env=own)
    try:
        yield server
    finally:
        server.stop(grace=0, by=signal.SIGKILL)
        _remove_group(group)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(server: shell.Server, true: Callable[[], object]) -> None:
    def is_true() -> bool:
        with contextlib.suppress(Exception):
            return bool(true())
        return False

    wait_until_up(server, is_true)


def _child_of(server: shell.Server) -> int:
    """The first process in the new process namespace, as this machine counts."""
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children")
    _wait(server, lambda: children.read_text().split())
    return int(children.read_text().split()[0])


def _remove_group(name: str) -> None:
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    for place in (Path(where) / name for _, where, kind, *_ in mounts if kind == "cgroup2"):
        deadline = time.monotonic() + 5
        while place.exists() and time.monotonic() < deadline:
            for group in [*sorted(place.rglob("*/"), reverse=True), place]:
                with contextlib.suppress(OSError):  # its processes are still dying
                    group.rmdir()
            time.sleep(0.05)


def _image(busybox: Path) -> bytes:
    """The file system of an image, as `docker import` takes it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(busybox, "bin/busybox")
        for name in _APPLETS:
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
    return packed.getvalue()
