"""Channels to be told: a webhook and a mail server on 127.0.0.1, which can go away and come back."""

import contextlib
import json
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.ports import own_port


@dataclass
class Hook:
    """A webhook that keeps what it is told: (subject, body, the Authorization header)."""

    port: int = field(default_factory=own_port)
    told: list[tuple[str, str, str]] = field(default_factory=list)
    server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def start(self) -> None:
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                said = json.loads(self.rfile.read(int(self.headers["content-length"])))
                hook.told.append((said["subject"], said["text"], self.headers.get("authorization", "")))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_arguments: object) -> None:
                """Nobody reads it."""

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True, kwargs={"poll_interval": 0.05}).start()

    def stop(self) -> None:
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def subjects(self, word: str = "") -> list[str]:
        return [subject for subject, _, _ in self.told if word in subject]


@contextlib.contextmanager
def hook() -> Iterator[Hook]:
    running = Hook()
    running.start()
    try:
        yield running
    finally:
        running.stop()


@dataclass
class Mail:
    """A mail server that keeps what comes: (recipients, subject, text)."""

    port: int
    came: list[tuple[tuple[str, ...], str, str]] = field(default_factory=list)


@contextlib.contextmanager
def mail_server() -> Iterator[Mail]:
    """Enough of SMTP for one message after another; no TLS, no login."""
    mail = Mail(0)

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 test")
            recipients: list[str] = []
            for line in self.rfile:
                word = line.decode().strip().upper()
                if word.startswith("RCPT TO:"):
                    recipients.append(line.decode().partition("<")[2].partition(">")[0])
                if word == "DATA":
                    self._say("354 go on")
                    self._keep(recipients)
                self._say("221 bye" if word == "QUIT" else "250 ok")
                if word == "QUIT":
                    return

        def _keep(self, recipients: list[str]) -> None:
            lines = []
            for line in self.rfile:
                if line == b".\r\n":
                    break
                lines.append(line)
            message = message_from_bytes(b"".join(lines), policy=default)
            body = message.get_body(("html", "plain"))
            mail.came.append((tuple(recipients), str(message["subject"]), body.get_content() if body else ""))

        def _say(self, words: str) -> None:
            self.wfile.write(f"{words}\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        mail.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True, kwargs={"poll_interval": 0.05}).start()
        try:
            yield mail
        finally:
            server.shutdown()
