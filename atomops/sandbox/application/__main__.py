"""`python -m atomops.sandbox.application --config FILE`: serve until SIGTERM."""

import argparse
import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import uvicorn
from psycopg import OperationalError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from atomops.sandbox.application import api, faults, jobs, log, parts, settings, traffic
from atomops.sandbox.application.metrics import Measured

HOSTS = ["127.0.0.1", "localhost", "atom.example.com"]  # any other Host header gets 400 "Invalid host header"


def build(given: settings.Settings) -> Starlette:
    """The application, which works for itself as long as it is served."""

    @contextlib.asynccontextmanager
    async def alive(app: Starlette) -> AsyncIterator[None]:
        app.state.parts = parts.connect(given)
        busy = [traffic.make(given), jobs.work_off(app.state.parts), faults.hold_transactions(given)]
        tasks = [asyncio.create_task(work) for work in busy]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await app.state.parts.close()

    middleware = [Middleware(Measured), Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)]
    handlers = {TimeoutError: api.timed_out, OperationalError: api.without_database, Exception: api.failed}
    return Starlette(routes=api.ROUTES, middleware=middleware, exception_handlers=handlers, lifespan=alive)


def main() -> None:
    """Serve on 127.0.0.1; the answers to requests under way are given up after a second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    given = settings.read(parser.parse_args().config)
    log.configure(given.log)
    uvicorn.run(build(given), port=given.port, log_config=None, access_log=False, timeout_graceful_shutdown=1)


if __name__ == "__main__":
    main()
