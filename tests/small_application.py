"""An application that starts in a moment: `python -m tests.small_application PORT DSN FILE SECRET`.

It tells over HTTP whether it is ready, which it is while its database answers. FILE holds its process id from the
moment on that it answers itself, SECRET the database's password.
"""

import asyncio
import json
import os
import shlex
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psycopg

from atomops import shell
from tests.waiting import PATIENCE

ROOT = Path(__file__).parent.parent
_STATUS = 'test -e "$0" && grep -q small_application "/proc/$(cat "$0")/cmdline"'
_SCRIPTS = {  # $0 is the file, $@ the application
    "status": _STATUS,
    "start": f'{_STATUS} || rm -f "$0"; setsid "$@" </dev/null >>"$0.out" 2>&1 & '
    'while ! test -e "$0"; do sleep 0.02; done',
    "stop": f'{_STATUS} && kill "$(cat "$0")"; while {_STATUS}; do sleep 0.02; done; rm -f "$0"',
}


def commands(port: int, dsn: str, file: Path, password: str) -> dict[str, tuple[str, ...]]:
    """What an inventory calls to stop and start it."""
    secret = file.with_name("application-password")
    secret.write_text(password)
    application = (sys.executable, "-m", __name__, str(port), dsn, str(file), str(secret))
    own = {what: ("sh", "-c", script, str(file), *application) for what, script in _SCRIPTS.items()}
    again = f"{shlex.join(own['stop'])} && sleep 0.3 && {shlex.join(own['start'])}"  # long enough to be ended in it
    return {**own, "restart": ("sh", "-c", again)}


def run(argv: tuple[str, ...]) -> None:
    """One of them, as an inventory's runtime would."""
    asyncio.run(shell.run(argv, timeout=PATIENCE, cwd=ROOT))


class _Handler(BaseHTTPRequestHandler):
    dsn: str
    password: str
    lock = threading.Lock()
    session: psycopg.Connection | None = None

    def do_GET(self) -> None:
        good = self._is_ready()
        self.send_response(200 if good else 503)
        self.end_headers()
        self.wfile.write(json.dumps({"status": "ready" if good else "not_ready"}).encode())

    def log_message(self, *_: object) -> None:
        pass

    def _is_ready(self) -> bool:
        kind = type(self)
        with self.lock:
            try:
                if kind.session is None or kind.session.closed:
                    kind.session = psycopg.connect(self.dsn, password=self.password, autocommit=True)
                kind.session.execute("SELECT count(*) FROM t")
            except psycopg.Error:
                return False
        return True


def main(port: str, dsn: str, file: str, secret: str) -> None:
    _Handler.dsn, _Handler.password = dsn, Path(secret).read_text()
    with ThreadingHTTPServer(("127.0.0.1", int(port)), _Handler) as server:
        written = Path(f"{file}.{os.getpid()}")
        written.write_text(str(os.getpid()))
        written.rename(file)
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
