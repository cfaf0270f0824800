"""`atomops run FLOW`: a flow here and now, with or without a Prefect server."""

import asyncio
import inspect
import json
import os
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import typer

from atomops.cli.app import InventoryOption, app, use_inventory
from atomops.cli.exit_codes import BY_LEVEL, FAILED
from atomops.errors import AtomOpsError, InventoryError, PermanentError
from atomops.inventory import load_inventory


@app.command()
def run(
    flow: Annotated[str, typer.Argument(help="the flow's name, such as morning-checklist")],
    target: Annotated[str, typer.Option(help="the target, as the inventory calls it")] = "production",
    settings: Annotated[list[str] | None, typer.Option("--set", help="a parameter of the flow: KEY=VALUE")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="write the JSON report to this file")] = None,
    inventory: InventoryOption = None,
) -> int:
    """Run a flow, print its report, and exit with 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN or failed."""
    use_inventory(inventory)
    load_inventory().target(target, read=_unread)
    _keep_quiet()
    return _run(flow, target, settings or [], json_file)


def _unread(reference: str) -> str:
    """Secrets are read by the flow; here only the target's name and settings are checked, before 10 s of start-up."""
    return reference


def _keep_quiet() -> None:
    """The report is the output; whoever sets PREFECT_LOGGING_LEVEL gets the log as well."""
    if "PREFECT_LOGGING_LEVEL" not in os.environ:
        os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "CRITICAL"
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")


def _run(name: str, target: str, settings: list[str], json_file: Path | None) -> int:
    from atomops.cli.flows import known, load_flow  # noqa: PLC0415 - 2 s that `--help` need not wait for
    from atomops.cli.server import usable_server  # noqa: PLC0415

    known(name)
    with usable_server(meanwhile=lambda: load_flow(name)) as flow:
        parameters = _parameters(settings, inspect.signature(flow.fn)) | {"target": target}
        state, result = asyncio.run(_play(flow, parameters))
    return _tell(result, state.message or str(state), json_file)


async def _play(flow: Any, parameters: dict[str, Any]) -> tuple[Any, object]:  # noqa: ANN401 - any flow's
    state = await flow(**parameters, return_state=True)
    return state, await state.aresult(raise_on_failure=False)


def _tell(result: object, message: str, json_file: Path | None) -> int:
    """Print the report and write it down; a flow that gave none has failed, and says why."""
    from atomops.reports.json import to_json  # noqa: PLC0415
    from atomops.reports.report import Report  # noqa: PLC0415
    from atomops.reports.terminal import print_report  # noqa: PLC0415

    if not isinstance(result, Report):
        raise result if isinstance(result, AtomOpsError) else PermanentError(message)
    print_report(result)
    if json_file is not None:
        json_file.write_bytes(to_json(result))
    return BY_LEVEL.get(result.level, FAILED)


def _parameters(settings: list[str], signature: inspect.Signature) -> dict[str, Any]:
    pairs = dict(_pair(setting) for setting in settings)
    for key in pairs:
        if key not in signature.parameters:
            close = get_close_matches(key, signature.parameters, n=1) or list(signature.parameters)
            raise InventoryError(f"the flow has no parameter {key!r}", action=f"did you mean {close[0]!r}?")
    return pairs


def _pair(setting: str) -> tuple[str, Any]:
    key, separator, text = setting.partition("=")
    if not separator:
        raise InventoryError(f"--set {setting!r} is not KEY=VALUE", action="write, for example, --set dry_run=false")
    try:
        return key, json.loads(text)
    except json.JSONDecodeError:
        return key, text
