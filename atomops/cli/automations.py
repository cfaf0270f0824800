"""`atomops automations apply`: the notification blocks and automations of a file, as they ought to be on the server."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import yaml

from atomops.automations import PREFIX, Block, Json, Wanted, block_address, expand, unknown_channels
from atomops.cli.app import InventoryOption, app, use_inventory
from atomops.cli.deploy import CHECKOUT
from atomops.errors import InventoryError, NotThere
from atomops.inventory import load_inventory

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.events.schemas.automations import AutomationCore

automations = typer.Typer(help="What the Prefect server tells and starts by itself.", no_args_is_help=True)
app.add_typer(automations, name="automations")
_FILE = CHECKOUT / "deployments" / "automations.yaml"
_PAGE = 200  # blocks: the most that the server tells at once
_OURS = "atomops_automations"  # the variable that remembers which blocks are ours


@automations.callback()
def group() -> None:
    """What the Prefect server tells and starts by itself."""


@automations.command()
def apply(
    file: Annotated[Path, typer.Option(help="default: the one of this checkout")] = _FILE,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="print what would change, and change nothing")] = False,
    inventory: InventoryOption = None,
) -> None:
    """Create, update and remove, until blocks and automations are as the file and the inventory want them.

    Repeating it changes nothing. Of automations only those whose name begins with "atomops: " are touched, of blocks
    only those that it has made itself.
    """
    use_inventory(inventory)
    lines = asyncio.run(_apply(file, dry_run=dry_run))
    for line in lines:
        typer.echo(line)
    would = "would change" if dry_run else "changed"
    changed = sum(not line.startswith(("=", "-- ")) for line in lines)
    typer.echo(f"{changed} of {len(lines)} {would}" if changed else "everything is as the file wants it")


async def _apply(file: Path, *, dry_run: bool) -> list[str]:
    from prefect.client.orchestration import get_client  # noqa: PLC0415 - 2 s that `--help` need not wait for
    from prefect.settings import PREFECT_API_URL  # noqa: PLC0415

    if not PREFECT_API_URL.value():
        raise NotThere("no Prefect server is named", action="export PREFECT_API_URL=http://HOST:4200/api")
    targets = [target.model_copy(update={"name": name}) for name, target in load_inventory().targets.items()]
    wanted = expand(_read(file), targets)
    async with get_client() as client:
        work = _Work(client, dry_run=dry_run)
        unknown = unknown_channels(wanted, targets, await work.addresses())
        if unknown:
            action = f"describe it under blocks: in {file}, or create it on the server"
            raise InventoryError(f"the inventory notifies {', '.join(unknown)}, which nobody describes", action=action)
        await work.blocks(wanted)
        await work.automations(wanted)
    return [*work.lines, *(f"-- {name}: left out, {why}" for name, why in wanted.left_out.items())]


def _read(file: Path) -> Mapping[str, Any]:
    try:
        described = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise NotThere(f"{file} cannot be read ({error.strerror})", action="name another one with --file") from error
    except yaml.YAMLError as error:
        raise InventoryError(f"{file} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(described, dict):
        raise InventoryError(f"{file} describes no automations", action="see deployments/automations.yaml")
    return described


class _Work:
    """What is done to one server, told line by line: + created, ~ updated, - removed, = as it was."""

    def __init__(self, client: "PrefectClient", *, dry_run: bool) -> None:
        self.client, self.dry_run = client, dry_run
        self.lines: list[str] = []
        self.ids: dict[str, str] = {}

    async def addresses(self) -> list[str]:
        """Of every block of the server that has a name; remembers their numbers."""
        while page := await self.client.read_block_documents(include_secrets=False, limit=_PAGE, offset=len(self.ids)):
            self.ids |= {f"{each.block_type.slug}/{each.name}": str(each.id) for each in page if each.block_type}
            if len(page) < _PAGE:
                break
        return list(self.ids)

    async def blocks(self, wanted: Wanted) -> None:
        """Those of the file are there as it says; those that it no longer has, and we had made, are gone."""
        ours = set(await self._ours())
        for block in wanted.blocks:
            await self._block(block)
        now = {block_address(block.channel) for block in wanted.blocks}
        for address in sorted((ours - now) & set(self.ids)):
            self.lines.append(f"- block {address}")
            if not self.dry_run:
                await self.client.delete_block_document(self.ids.pop(address))  # type: ignore[arg-type]
        if not self.dry_run and ours != now:
            from prefect.variables import Variable  # noqa: PLC0415

            await Variable.aset(_OURS, sorted(now), overwrite=True)

    async def _ours(self) -> list[str]:
        kept = await self.client.read_variable_by_name(_OURS)
        return [str(each) for each in kept.value] if kept is not None and isinstance(kept.value, list) else []

    async def _block(self, block: Block) -> None:
        from atomops.cli.automation_blocks import as_kept, made_of  # noqa: PLC0415

        address, made = block_address(block.channel), made_of(block)
        if address not in self.ids:
            self.lines.append(f"+ block {block.channel}")
        else:
            document = await self.client.read_block_document_by_name(
                address.partition("/")[2], made.get_block_type_slug(), include_secrets=True
            )
            if document.data == as_kept(made):
                self.lines.append(f"= block {block.channel}")
                return
            self.lines.append(f"~ block {block.channel}")
        if not self.dry_run:
            self.ids[address] = str(await made.asave(address.partition("/")[2], overwrite=True))
        else:
            self.ids.setdefault(address, "00000000-0000-0000-0000-000000000000")

    async def automations(self, wanted: Wanted) -> None:
        """Those that are wanted are there, and no other of our name."""
        there = {each.name: each for each in await self.client.read_automations() if each.name.startswith(PREFIX)}
        for described in wanted.automations:
            core = await self._core(described)
            before = there.pop(core.name, None)
            if before is None:
                self.lines.append(f"+ {core.name}")
                if not self.dry_run:
                    await self.client.create_automation(core)
            elif _plain(before) == _plain(core):
                self.lines.append(f"= {core.name}")
            else:
                self.lines.append(f"~ {core.name}")
                if not self.dry_run:
                    await self.client.update_automation(before.id, core)
        for name, left in there.items():
            self.lines.append(f"- {name}")
            if not self.dry_run:
                await self.client.delete_automation(left.id)

    async def _core(self, described: Json) -> "AutomationCore":
        from prefect.events.schemas.automations import AutomationCore  # noqa: PLC0415
        from pydantic import ValidationError  # noqa: PLC0415

        actions = [await self._action(action) for action in described["actions"]]
        try:
            return AutomationCore.model_validate({**described, "actions": actions})
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise InventoryError(f"the automation {described['name']!r}: {place}: {first['msg']}") from error

    async def _action(self, action: Json) -> Json:
        from prefect.exceptions import ObjectNotFound  # noqa: PLC0415

        plain = {key: value for key, value in action.items() if key not in {"block", "deployment"}}
        if "block" in action:
            return {**plain, "block_document_id": self.ids[action["block"]]}
        try:
            deployment = await self.client.read_deployment_by_name(action["deployment"])
        except ObjectNotFound as error:
            raise NotThere(f"the server has no deployment {action['deployment']}", action="atomops deploy") from error
        return {**plain, "deployment_id": str(deployment.id)}


def _plain(automation: "AutomationCore") -> Json:
    """What it is, without its number; both sides through the same model, so that defaults are no difference."""
    from prefect.events.schemas.automations import AutomationCore  # noqa: PLC0415

    fields = set(AutomationCore.model_fields) - {"owner_resource"}
    return AutomationCore.model_validate(automation.model_dump(include=fields)).model_dump()
