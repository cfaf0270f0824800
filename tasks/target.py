"""Load a target by its name, with its secrets: a flow's parameters are names, never secrets."""

from prefect.blocks.system import Secret as SecretBlock

from atomops.errors import SecretError
from atomops.inventory import Inventory, Target, load_inventory
from atomops.secret import read_secret, secrets_in

_BLOCK = "block:"


async def load_target(name: str, inventory: Inventory | None = None) -> Target:
    """The target, all its secrets read, Prefect blocks too. Raises InventoryError, NotThere or SecretError."""
    inventory = inventory or load_inventory()
    references = (secret.reference for secret in secrets_in(inventory.targets.get(name)))
    blocks = [reference for reference in references if reference.startswith(_BLOCK)]
    values = {reference: await _read_block(reference) for reference in blocks}
    return inventory.target(name, read=lambda reference: values.get(reference) or read_secret(reference))


async def _read_block(reference: str) -> str:
    name = reference.removeprefix(_BLOCK)
    try:
        block: SecretBlock[str] = await SecretBlock.aload(name)
    except ValueError as error:
        action = f"create the Secret block {name!r} on this Prefect server"
        raise SecretError(f"Prefect has no secret block {name!r}", action=action) from error
    return str(block.get())
