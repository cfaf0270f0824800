"""`atomops doctor`: will it work here, and what is missing?"""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from atomops.cli.app import InventoryOption, app, use_inventory
from atomops.cli.exit_codes import FAILED
from atomops.humane import plural
from atomops.inventory import load_inventory
from atomops.verdict import Unseen

if TYPE_CHECKING:
    from atomops.doctor import Diagnosis  # with every probe and its clients, for which `--help` need not wait


@app.command()
def doctor(
    target: Annotated[str | None, typer.Option(help="one target only; default: all of the inventory")] = None,
    inventory: InventoryOption = None,
) -> int:
    """Reach everything the inventory names; name the grant, package or setting that is missing for each gap."""
    use_inventory(inventory)
    loaded = load_inventory()
    names = [target] if target else list(loaded.targets)
    healthy = [_examine(name) for name in names]
    return 0 if all(healthy) else FAILED


def _examine(name: str) -> bool:
    diagnoses = asyncio.run(_look(name))
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"\n[bold]{escape(name)}[/]")
    wide = max(len(diagnosis.part.name) for diagnosis in diagnoses)
    for diagnosis in diagnoses:
        for line in _lines(diagnosis, wide):
            console.print(line)
    for line in _verdicts(diagnoses):
        console.print(line)
    return not any(diagnosis.failure for diagnosis in diagnoses)


async def _look(name: str) -> list["Diagnosis"]:
    from atomops.doctor import examine  # noqa: PLC0415 - as above
    from tasks.target import load_target  # noqa: PLC0415 - 2 s that `--help` need not wait for

    return await examine(await load_target(name))


def _lines(diagnosis: "Diagnosis", wide: int) -> Iterator[str]:
    name = f"{diagnosis.part.name:<{wide}}"
    if diagnosis.missing:
        yield f"  [dim]-  {name} {escape(diagnosis.missing)}[/]"
    elif diagnosis.failure:
        yield f"  [red]✗[/]  {name} {_remedy(diagnosis.failure)}"
    elif diagnosis.gaps:
        hidden = plural(len(diagnosis.gaps), "thing")
        yield f"  [yellow]![/]  {name} answers in {diagnosis.seconds:.2f} s, but {hidden} cannot be seen:"
    else:
        yield f"  [green]✓[/]  {name} answers in {diagnosis.seconds:.2f} s, everything can be seen"
    for gap in diagnosis.gaps:
        yield f"       {_remedy(gap)}"


def _remedy(unseen: Unseen) -> str:
    return escape(unseen.reason) + (f"\n         [cyan]{escape(unseen.action)}[/]" if unseen.action else "")


def _verdicts(diagnoses: list["Diagnosis"]) -> Iterator[str]:
    """A line for each flow that looks at something."""
    from atomops.cli.flows import names, parts  # noqa: PLC0415 - flows import Prefect: 2 s that `--help` need not wait

    wide = max(map(len, names()))
    for name in names():
        looked = parts(name)
        if looked:
            yield f"  [bold]{name:<{wide}}[/] {_verdict([each for each in diagnoses if each.part in looked])}"


def _verdict(diagnoses: list["Diagnosis"]) -> str:
    failing = [section for diagnosis in diagnoses if diagnosis.failure for section in diagnosis.part.sections]
    absent = [section for diagnosis in diagnoses if diagnosis.missing for section in diagnosis.part.sections]
    if all(diagnosis.missing for diagnosis in diagnoses):
        return "cannot run: " + "; ".join(dict.fromkeys(diagnosis.missing for diagnosis in diagnoses))
    told = "will work" if not failing else f"will run, and report as failing or UNKNOWN: {', '.join(failing)}"
    return told + (f"; not checked: {', '.join(absent)}" if absent else "")
