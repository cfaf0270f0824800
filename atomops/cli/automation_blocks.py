"""Prefect's own notification blocks, made of what automations.yaml says of them, their secrets read."""

from typing import Any
from uuid import uuid4

from prefect.blocks import notifications  # noqa: F401 - registers them
from prefect.blocks.abstract import NotificationBlock
from prefect.blocks.core import Block as PrefectBlock

from atomops.automations import Block, block_address, email_address
from atomops.errors import InventoryError, PermanentError
from atomops.secret import read_secret

_REFERENCES = ("env:", "file:")


def made_of(block: Block) -> PrefectBlock:
    """The block with its secrets read. Raises SecretError, or InventoryError for settings that it does not know."""
    kind, _, name = block.channel.partition("/")
    slug = block_address(block.channel).partition("/")[0]
    classes = {each.get_block_type_slug(): each for each in _below(NotificationBlock)}
    if slug not in classes:
        action = f"email, {', '.join(sorted(classes))}"
        raise InventoryError(f"Prefect has no notification block of kind {kind!r}", action=action)
    read = {key: _read_secrets(value) for key, value in block.settings.items()}
    settings = {"url": email_address(read)} if kind == "email" else read
    if slug == "custom-webhook":
        settings = {"name": name, **settings}
    try:
        made: PrefectBlock = classes[slug](**settings)
    except Exception as error:  # noqa: BLE001 - whatever it says may repeat a secret
        keys = ", ".join(sorted(settings))
        message = f"the block {block.channel} cannot be made of {keys} ({type(error).__name__})"
        raise InventoryError(message, action="compare its settings with Prefect's own of that kind") from None
    _expect_secret_places(block, made)
    return made


def _below(base: type) -> list[Any]:
    every: list[Any] = []
    child: Any
    for child in base.__subclasses__():
        every += [child, *_below(child)]
    return [each for each in every if each._block_type_name]  # noqa: SLF001 - what is no interface has one


def _read_secrets(value: Any) -> Any:  # noqa: ANN401 - YAML's own types
    match value:
        case str() if value.startswith(_REFERENCES):
            return read_secret(value)
        case dict():
            return {key: _read_secrets(each) for key, each in value.items()}
        case list():
            return [_read_secrets(each) for each in value]
        case _:
            return value


def _expect_secret_places(block: Block, made: PrefectBlock) -> None:
    """A secret where the block keeps it in clear would be shown in Prefect's pages. Raises PermanentError."""
    hidden = {field.partition(".")[0] for field in made._to_block_schema().fields.get("secret_fields", [])}  # noqa: SLF001
    for key, value in block.settings.items():
        if block.channel.startswith("email/") or key in hidden or value == _read_secrets_not(value):
            continue
        message = f"the block {block.channel} keeps {key} in clear: no secret belongs there"
        raise PermanentError(message, action='put it under secrets: and write "{{ name }}" in its place')


def _read_secrets_not(value: Any) -> Any:  # noqa: ANN401 - YAML's own types
    """The value without references to secrets."""
    match value:
        case str() if value.startswith(_REFERENCES):
            return None
        case dict():
            return {key: _read_secrets_not(each) for key, each in value.items()}
        case list():
            return [_read_secrets_not(each) for each in value]
        case _:
            return value


def as_kept(made: PrefectBlock) -> dict[str, Any]:
    """As the server keeps it, secrets in clear, for comparing."""
    nobody = uuid4()
    document = made._to_block_document("x", nobody, nobody, include_secrets=True)  # noqa: SLF001 - as `save` does
    return dict(document.data)
