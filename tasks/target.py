"""Load a target by its name, with its secrets: a flow's parameters are names, never secrets."""

from collections.abc import Iterator

from prefect.blocks.system import Secret as SecretBlock

from atomops.errors import SecretError
from atomops.inventory import Target, load_inventory
from atomops.secret import Secret, read_secret

_BLOCK = "block:"


async def load_target(name: str) -> Target:
    """The target, all its secrets read, Prefect blocks too. Raises InventoryError, NotThere or SecretError."""
    inventory = load_inventory()
    references = _block_references(inventory.targets.get(name))
    values = {reference: await _read_block(reference) for reference in references}
    return inventory.target(name, read=lambda reference: values.get(reference) or read_secret(reference))


def _block_references(part: object) -> Iterator[str]:
    if isinstance(part, Secret):
        if part.reference.startswith(_BLOCK):
            yield part.reference
        return
    for value in getattr(part, "__dict__", {}).values():
        yield from _block_references(value)


async def _read_block(reference: str) -> str:
    name = reference.removeprefix(_BLOCK)
    try:
        block: SecretBlock[str] = await SecretBlock.aload(name)
    except ValueError as error:
        action = f"create the Secret block {name!r} on this Prefect server"
        raise SecretError(f"Prefect has no secret block {name!r}", action=action) from error
    return str(block.get())
