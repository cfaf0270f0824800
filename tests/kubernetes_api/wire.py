"""The API server's outside: paths, verbs, Status bodies, logs, watches."""

import json
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

from tests.kubernetes_api.discovery import discover
from tests.kubernetes_api.patches import Json
from tests.kubernetes_api.request import Request, authorize
from tests.kubernetes_api.selection import by_fields, by_labels
from tests.kubernetes_api.store import ALSO_SERVED, API_VERSIONS, KINDS, Refused, Resource, Store
from tests.kubernetes_api.versions import converted
from tests.kubernetes_api.writes import applied, bind, patch

_VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_APPLY = "application/apply-patch+yaml"
_WATCH_SECONDS = 30


@dataclass
class Settings:
    """What tests bend. `rules` are those of the user "atomops"; None allows everything. `before` may raise Refused,
    or return bytes to be sent in place of an answer; `after` is told what was done, before the answer is sent.
    """

    tokens: dict[str, str] = field(default_factory=dict)
    rules: set[tuple[str, str, str]] | None = None
    before: Callable[[Request], None] = lambda _request: None
    after: Callable[[Request], None] = lambda _request: None
    logs: Callable[[Json, dict[str, str]], str] = lambda _pod, _query: ""
    is_down: bool = False
    requests: list[Request] = field(default_factory=list)


class ApiServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, store: Store, settings: Settings, context: ssl.SSLContext, port: int = 0) -> None:
        self.store, self.settings, self._context = store, settings, context
        super().__init__(("127.0.0.1", port), _Handler)

    def get_request(self) -> Any:  # noqa: ANN401 - as the base class has it
        connection, address = super().get_request()
        if self.settings.is_down:
            connection.close()
            raise OSError
        return self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are no error of a server."""

    def serve(self) -> None:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ApiServer

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class has it
        pass

    def _answer(self) -> None:
        if self.server.settings.is_down:
            self.close_connection = True
            self.connection.close()
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            self._send(200, self._do(body))
        except Refused as refused:
            self._send(refused.code, refused.body, wait=refused.wait)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - as the base class wants it

    def _do(self, body: bytes) -> Json | str | None:
        user = self._user()
        parts = urlsplit(self.path)
        found = discover(parts.path)
        if found is not None:
            return found
        request = self._request(parts.path, parts.query, body, user)
        settings = self.server.settings
        if user != "admin":
            settings.requests.append(request)
            settings.before(request)
            authorize(request, settings.rules if user == "atomops" else set())
        answer = self._carry_out(request)
        if isinstance(answer, dict):
            answer = converted(answer, request.version)
        if user == "atomops":
            settings.after(request)
        return answer

    def _user(self) -> str:
        scheme, _, token = (self.headers.get("Authorization") or "").partition(" ")
        if scheme.lower() != "bearer":
            return "system:anonymous"
        if token not in self.server.settings.tokens:
            raise Refused(401, "Unauthorized", "Unauthorized")
        return self.server.settings.tokens[token]

    def _request(self, path: str, query: str, body: bytes, user: str) -> Request:
        parts = [unquote(each) for each in path.strip("/").split("/")]
        group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1] if len(parts) > 1 else "", parts[3:])
        version = "/".join(parts[1:2] if parts[0] == "api" else parts[1:3])
        namespace = ""
        if len(rest) > 2 and rest[0] == "namespaces":
            namespace, rest = rest[1], rest[2:]
        plural, name, subresource = (*rest, "", "", "")[:3]
        if (group, plural) not in KINDS or version not in {API_VERSIONS[group], *ALSO_SERVED.get(group, ())}:
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        flat = {key: values[-1] for key, values in parse_qs(query).items()}
        verb = _VERBS[self.command]
        if verb == "get" and not name:
            verb = "watch" if flat.get("watch") in {"true", "1"} else "list"
        content = (self.headers.get("Content-Type") or "").split(";")[0]
        parsed = (yaml.safe_load(body) if content == _APPLY else json.loads(body)) if body else None
        resource = Resource(group, plural)
        return Request(verb, resource, namespace, name, subresource, flat, parsed, content, user, version)

    def _carry_out(self, request: Request) -> Json | str | None:  # noqa: PLR0911 - one a verb
        store = self.server.store
        match request.verb, request.subresource:
            case "get", "log":
                return self.server.settings.logs(self._read(request), request.query)
            case "get", _:
                return self._read(request)
            case "list", _:
                return self._list(request)
            case "watch", _:
                self._watch(request)
                return None
            case "create", "binding":
                return bind(store, request)
            case "create", _:
                return store.create(request.resource, request.namespace, request.body)
            case "update", sub:
                return store.update(request.resource, request.body, status=sub == "status")
            case "patch", _ if request.content_type == _APPLY:
                return self._apply(request)
            case "patch", _:
                return patch(store, request)
            case _:
                return store.delete(request.resource, request.namespace, request.name, request.body or {})

    def _read(self, request: Request) -> Json:
        return self.server.store.get(request.resource, request.namespace, request.name)

    def _apply(self, request: Request) -> Json:
        """Creating takes the right to create as well, as the real server has it."""
        store, resource = self.server.store, request.resource
        with store.lock:
            try:
                stored = store.get(resource, request.namespace, request.name)
            except Refused:
                stored = None
                rules = self.server.settings.rules
                authorize(replace(request, verb="create"), rules if request.user == "atomops" else None)
            return applied(store, request, stored)

    def _list(self, request: Request) -> Json:
        store = self.server.store
        labels, fields = (
            by_labels(request.query.get("labelSelector", "")),
            by_fields(request.query.get("fieldSelector", "")),
        )
        with store.lock:
            found = store.list(request.resource, request.namespace, lambda each: labels(each) and fields(each))
            begin, limit = int(request.query.get("continue") or 0), int(request.query.get("limit") or 0)
            page = found[begin : begin + limit] if limit else found[begin:]
            meta: Json = {"resourceVersion": str(store.version)}
            if begin + len(page) < len(found):
                meta["continue"] = str(begin + len(page))
        kind = KINDS[request.resource.group, request.resource.plural]
        # the items of a list bear no kind of their own, as the real server has it
        served = [converted(each, request.version) for each in page]
        items = [{key: value for key, value in each.items() if key not in {"kind", "apiVersion"}} for each in served]
        return {
            "kind": f"{kind}List",
            "apiVersion": request.version,
            "metadata": meta,
            "items": items,
        }

    def _watch(self, request: Request) -> None:
        if request.query.get("sendInitialEvents") == "true":
            raise Refused(
                422, "Invalid", "sendInitialEvents is forbidden for watch unless the WatchList feature is enabled"
            )
        store, since = self.server.store, int(request.query.get("resourceVersion") or 0)
        keep = by_fields(request.query.get("fieldSelector", ""))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.close_connection = True
        until = time.monotonic() + _WATCH_SECONDS
        while time.monotonic() < until:
            with store.lock:
                store.changed.wait(0.2)
                news = [each for each in store.history if each[0] > since and each[2] == request.resource]
            for version, event, _, found in news:
                since = version
                if keep(found):
                    self.wfile.write(json.dumps({"type": event, "object": found}).encode() + b"\n")
            self.wfile.flush()

    def _send(self, code: int, answer: Json | str | None, *, wait: int = 0) -> None:
        if answer is None:
            return
        is_text = isinstance(answer, str)
        data = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
        self.send_response(code)
        self.send_header("Content-Type", "text/plain" if is_text else "application/json")
        self.send_header("Content-Length", str(len(data)))
        if wait:
            self.send_header("Retry-After", str(wait))
        self.end_headers()
        self.wfile.write(data)
