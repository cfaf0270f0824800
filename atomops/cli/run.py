"""`atomops run FLOW`: a flow here and now, with or without a Prefect server."""

import asyncio
import inspect
import json
import os
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import typer

from atomops.cli.app import InventoryOption, app, use_inventory
from atomops.cli.exit_codes import BY_LEVEL, FAILED
from atomops.errors import AtomOpsError, InventoryError, PermanentError
from atomops.inventory import load_inventory

DEFAULT = "production"


@app.command()
def run(
    flow: Annotated[str, typer.Argument(help="the flow's name, such as morning-checklist")],
    target: Annotated[
        str | None, typer.Option(help="the target, as the inventory calls it; default: production")
    ] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="a parameter of the flow: KEY=VALUE")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="write the JSON report to this file")] = None,
    inventory: InventoryOption = None,
) -> int:
    """Run a flow, print its report, and exit with 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN or failed."""
    use_inventory(inventory)
    named = _named(flow, target)
    _keep_quiet()
    return _run(flow, named, settings or [], json_file)


def _named(flow: str, target: str | None) -> dict[str, object]:
    """The target as the flow's parameter; that it exists is checked here, before 10 s of start-up."""
    from atomops.cli.flows import OF_MANY  # noqa: PLC0415 - with Prefect's types, 2 s that `--help` need not wait for

    inventory = load_inventory()
    if flow in OF_MANY:
        return {"targets": (target,)} if target else {}
    inventory.target(target or DEFAULT, read=_unread)
    return {"target": target or DEFAULT}


def _unread(reference: str) -> str:
    """Secrets are read by the flow; here only the target's name and settings are checked."""
    return reference


def _keep_quiet() -> None:
    """The report is the output; whoever sets PREFECT_LOGGING_LEVEL gets the log as well."""
    if "PREFECT_LOGGING_LEVEL" not in os.environ:
        os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "CRITICAL"
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")


def _run(name: str, named: dict[str, object], settings: list[str], json_file: Path | None) -> int:
    from atomops.cli.flows import known, load_flow  # noqa: PLC0415 - 2 s that `--help` need not wait for
    from atomops.cli.server import usable_server  # noqa: PLC0415

    known(name)
    with usable_server(meanwhile=lambda: load_flow(name)) as flow:
        parameters = _parameters(settings, inspect.signature(flow.fn)) | named
        state, result = _play_out(flow, parameters)
    return _tell(result, state.message or str(state), json_file)


def _play_out(flow: Any, parameters: dict[str, Any]) -> tuple[Any, object]:  # noqa: ANN401 - any flow's
    """What came of it. A SIGTERM, of which Prefect and we make exceptions, ends us as Ctrl-C does."""
    from prefect.exceptions import TerminationSignal  # noqa: PLC0415 - 2 s that `--help` need not wait for

    try:
        return asyncio.run(_play(flow, parameters))
    except (TerminationSignal, asyncio.CancelledError):
        raise typer.Abort from None


async def _play(flow: Any, parameters: dict[str, Any]) -> tuple[Any, object]:  # noqa: ANN401 - any flow's
    state = await flow(**parameters, return_state=True)
    return state, await state.aresult(raise_on_failure=False)


def _tell(result: object, message: str, json_file: Path | None) -> int:
    """Print the report and write it down; a flow that gave none has failed, and says why."""
    from atomops.reports.json import to_json  # noqa: PLC0415
    from atomops.reports.report import Report  # noqa: PLC0415
    from atomops.reports.terminal import print_report  # noqa: PLC0415

    if not isinstance(result, Report):
        raise result if isinstance(result, AtomOpsError) else PermanentError(_in_our_words(message))
    print_report(result)
    if json_file is not None:
        json_file.write_bytes(to_json(result))
    return BY_LEVEL.get(result.level, FAILED)


def _in_our_words(message: str) -> str:
    """Prefect's refusal of parameters on one line, without its types."""
    _, refused, problems = message.partition("Flow run received invalid parameters:")
    return f"the flow refuses {'; '.join(problems.split(chr(10) + ' - ')).removeprefix('; ')}" if refused else message


def _parameters(settings: list[str], signature: inspect.Signature) -> dict[str, Any]:
    pairs = dict(_pair(setting) for setting in settings)
    for key in pairs:
        if key not in signature.parameters:
            close = get_close_matches(key, signature.parameters, n=1) or list(signature.parameters)
            raise InventoryError(f"the flow has no parameter {key!r}", action=f"did you mean {close[0]!r}?")
    return {key: _as_wanted(text, signature.parameters[key].annotation) for key, text in pairs.items()}


def _as_wanted(text: str, annotation: object) -> object:
    """Where text is wanted, 42 is text. One word for a list is a list of one; words between commas are several."""
    value = _json_or_text(text)
    if (get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation) is str:
        return value if isinstance(value, str) else text
    is_list = get_origin(annotation) in {tuple, list}
    return value.split(",") if is_list and isinstance(value, str) else value


def _pair(setting: str) -> tuple[str, str]:
    key, separator, text = setting.partition("=")
    if not separator:
        raise InventoryError(f"--set {setting!r} is not KEY=VALUE", action="write, for example, --set dry_run=false")
    return key, text


def _json_or_text(text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
