"""`atomops alerts receive` and `atomops alerts list`: Alertmanager's webhook, and what became of its alerts."""

import asyncio
import contextlib
import logging
import re
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from atomops.alerts.incidents import read_incidents
from atomops.alerts.spool import waiting
from atomops.alerts.waking import Waker
from atomops.automations import ALERT_RECEIVED, resource_of
from atomops.cli import backup_views as views
from atomops.cli.app import InventoryOption, TargetOption, app, use_inventory
from atomops.errors import InventoryError, NotThere, Unreachable
from atomops.facts.incidents import Incident
from atomops.humane import plural
from atomops.inventory import Target, load_inventory
from atomops.reports.report import stamp
from atomops.secret import read_secret

alerts = typer.Typer(help="Alertmanager's alerts: received, kept, responded to.", no_args_is_help=True)
app.add_typer(alerts, name="alerts")
_LISTEN = re.compile(r"(?P<host>[^:\s]+|\[[0-9a-fA-F:]+\]):(?P<port>\d{1,5})")
_TOKEN = "env:ATOMOPS_ALERTS_TOKEN"  # noqa: S105 - where it lies
_EVERY = 0.5  # seconds between two looks at the spools
_SECONDS = 10  # that the Prefect server may take to hear an event


@alerts.command()
def receive(
    listen: Annotated[str, typer.Option(help="address and port; behind a proxy that speaks TLS for other hosts")] = (
        "127.0.0.1:8099"
    ),
    token: Annotated[str, typer.Option(help="where the bearer token lies: env:NAME or file:/path")] = _TOKEN,
    inventory: InventoryOption = None,
) -> None:
    """Receive Alertmanager's webhook at /alerts until SIGTERM; /healthz answers without a token.

    An alert is on disk, in the history of its target, before it is answered. Then the Prefect server is told, which
    starts alert-response (`atomops automations apply`); while it cannot be reached, the alerts wait.
    """
    use_inventory(inventory)
    found = _LISTEN.fullmatch(listen)
    if not found:
        raise InventoryError(f"--listen {listen!r} is no address and port", action="such as 127.0.0.1:8099")
    targets = _targets()
    secret = read_secret(token)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("prefect").setLevel(logging.ERROR)  # that the server is away is told by us, once
    asyncio.run(_serve(targets, secret, found["host"].strip("[]"), int(found["port"])))


def _targets() -> list[Target]:
    return [each.model_copy(update={"name": name}) for name, each in load_inventory().targets.items()]


async def _serve(targets: list[Target], token: str, host: str, port: int) -> None:
    import uvicorn  # noqa: PLC0415 - what `--help` need not wait for
    from prefect.settings import PREFECT_API_URL  # noqa: PLC0415

    from atomops.alerts.receiver import application  # noqa: PLC0415

    if not PREFECT_API_URL.value():
        raise NotThere("no Prefect server is named", action="export PREFECT_API_URL=http://HOST:4200/api")
    config = uvicorn.Config(
        application(targets, token), host=host, port=port, log_level="warning", access_log=False, lifespan="off"
    )
    server = uvicorn.Server(config)
    waking = asyncio.create_task(_wake([Waker(target, ask_for_a_run) for target in targets]))
    typer.echo(f"listening on http://{host}:{port}/alerts for {', '.join(each.name for each in targets)}")
    try:
        await server.serve()
    except SystemExit as ended:  # uvicorn's way to say that it cannot listen
        raise Unreachable(f"nobody can listen on {host}:{port}", action="who else does?") from ended
    finally:
        waking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waking


async def _wake(wakers: list[Waker]) -> None:
    while True:
        for waker in wakers:
            await waker.turn()
        await asyncio.sleep(_EVERY)


async def ask_for_a_run(target: Target, reason: str) -> None:
    """The Prefect server has the event when this returns. Raises Unreachable."""
    from prefect.events import Event  # noqa: PLC0415
    from prefect.events.clients import get_events_client  # noqa: PLC0415

    resource = resource_of(target.name, "alert-response")
    event = Event.model_validate({"event": ALERT_RECEIVED, "resource": resource, "payload": {"reason": reason}})
    try:
        async with asyncio.timeout(_SECONDS), get_events_client(reconnection_attempts=0, checkpoint_every=1) as client:
            await client.emit(event)
    except Exception as error:  # its client raises whatever its library raises
        message = f"the Prefect server does not hear us ({type(error).__name__})"
        raise Unreachable(message, action="is it up, and PREFECT_API_URL right?") from error


@alerts.command("list")
def list_alerts(target: TargetOption = "production", inventory: InventoryOption = None) -> int:
    """Every incident that is open or ended within a week, and what still waits in the spool."""
    use_inventory(inventory)
    world = load_inventory().target(target, read=lambda reference: reference)
    views.show(_lines(read_incidents(world).incidents, len(waiting(world))))
    return 0


def _lines(incidents: tuple[Incident, ...], spooled: int) -> Iterator[RenderableType]:
    if not incidents:
        yield Text("no incident is open, and none ended within a week")
    else:
        rows = [
            (
                each.title,
                each.severity,
                stamp(each.began),
                stamp(each.acknowledged),
                stamp(each.ended) if each.ended else "open",
                "told" if each.told else "",
                "written" if each.ticket else "",
            )
            for each in reversed(incidents)
        ]
        yield views.table(("alert", "severity", "since", "acknowledged", "ended", "on call", "ticket"), rows)
    if spooled:
        yield Text(f"{plural(spooled, 'payload')} in the spool: alert-response has not run since", "yellow")
