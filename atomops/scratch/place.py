"""Folders, ports and users for servers of our own: anywhere, as root or not, never in each other's way."""

import os
import pwd
import shutil
import socket
import tempfile
from pathlib import Path

UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root; no system user is created for it


def free_port() -> int:
    """A TCP port of 127.0.0.1 that was free a moment ago; a server that loses the race for it is started again."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def server_user() -> str | None:
    """The user that servers run as: ours, or an unprivileged one when we are root."""
    return UNPRIVILEGED if os.geteuid() == 0 else None


def make_folder(prefix: str, parent: Path | None = None) -> Path:
    """A new folder below `parent`, else the system's temporary one, that every user may walk through but not list."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    folder.chmod(0o711)
    return folder


def own_folder(parent: Path, name: str) -> Path:
    """A new folder that belongs to the server's user alone."""
    folder = parent / name
    folder.mkdir(mode=0o700)
    user = server_user()
    if user is not None:
        account = pwd.getpwnam(user)
        os.chown(folder, account.pw_uid, account.pw_gid)
    return folder


def reachable(installation: Path, parent: Path) -> Path:
    """The installation itself, or a copy below `parent` when the server's user may not walk to it (a 0700 home)."""
    if server_user() is None or _is_public(installation):
        return installation
    copy = parent / installation.name
    if not copy.exists():
        shutil.copytree(installation, copy, symlinks=True)
        copy.chmod(0o755)
    return copy


def _is_public(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in [path, *path.parents])
