"""The application's metrics, under the names that it really exports."""

import time

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUESTS = Counter("http_requests_total", "Requests answered", ["method", "endpoint", "status"])
LATENCY = Histogram("http_request_duration_seconds", "Time until the answer", ["method", "endpoint"])
AGENT_RUNS = Counter("agent_executions_total", "Agent runs ended", ["agent_id", "status"])
AGENT_SECONDS = Histogram("agent_execution_duration_seconds", "Time of an agent's run")
ACTIVE_AGENTS = Gauge("active_agents", "Agents at work now")
SKILL_RUNS = Counter("skill_executions_total", "Skill runs ended", ["skill_id", "status"])
QUERY_SECONDS = Histogram("db_query_duration_seconds", "Time of a unit of work in the database")
SESSIONS_ACTIVE = Gauge("db_connections_active", "Database sessions in use")
SESSIONS_IDLE = Gauge("db_connections_idle", "Database sessions in the pool")


async def page(_request: Request) -> Response:
    """Everything, in Prometheus' text format."""
    return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


class Measured:
    """Middleware that counts and times every request under its route, so that ids make no series of their own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does, and remember how."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 500  # of an answer that never began
        started = time.perf_counter()

        async def note(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self.app(scope, receive, note)
        finally:
            endpoint = _route(scope)
            REQUESTS.labels(scope["method"], endpoint, str(status)).inc()
            LATENCY.labels(scope["method"], endpoint).observe(time.perf_counter() - started)


def _route(scope: Scope) -> str:
    for route in scope["app"].routes:
        match, _ = route.matches(scope)
        if match is not Match.NONE:
            path: str = route.path
            return path
    return "unknown"
