"""References to secrets: `env:NAME`, `file:/path`, `block:name`. The value never shows in a repr or a dump."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, ValidationInfo, WithJsonSchema

from atomops.errors import SecretError

SecretReader = Callable[[str], str]
_KINDS = ("env", "file", "block")


@dataclass(frozen=True)
class Secret:
    """A reference, and its value once it has been read."""

    reference: str
    value: str | None = field(default=None, repr=False)

    def reveal(self) -> str:
        """The value; raises SecretError when it was never read."""
        if self.value is None:
            raise SecretError(f"the secret {self.reference} has not been read", action="load the target by its name")
        return self.value


def read_secret(reference: str) -> str:
    """The value behind `env:` and `file:`; raises SecretError, naming the reference, when there is none."""
    kind, _, place = reference.partition(":")
    if kind == "env":
        return _from_environment(place)
    if kind == "file":
        return _from_file(Path(place))
    raise SecretError(
        f"the secret {reference} is a Prefect block, which only Prefect can read",
        action="run the flow against a Prefect server, or use env:NAME or file:/path",
    )


def _from_environment(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise SecretError(f"the environment variable {name} is not set", action=f"export {name}, or use file:/path")
    return value


def _from_file(path: Path) -> str:
    try:
        value = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise SecretError(
            f"the secret file {path} cannot be read ({reason})", action="check its path and mode"
        ) from error
    if not value:
        raise SecretError(f"the secret file {path} is empty", action="write the secret into it")
    return value


def _validate(given: object, info: ValidationInfo) -> Secret:
    reference = given.reference if isinstance(given, Secret) else given
    if not isinstance(reference, str) or reference.partition(":")[0] not in _KINDS:
        message = "a secret is a reference, never the value: env:NAME, file:/path or block:prefect-secret-name"
        raise ValueError(message)
    reader: SecretReader | None = (info.context or {}).get("read_secret")
    if reader is None:
        return Secret(reference)
    try:
        return Secret(reference, reader(reference))
    except SecretError as error:
        raise ValueError(str(error)) from error


def _validate_text(given: object, info: ValidationInfo) -> "Secret | str":
    is_reference = isinstance(given, str) and given.startswith(tuple(f"{kind}:" for kind in _KINDS))
    if isinstance(given, Secret) or is_reference:
        return _validate(given, info)
    if not isinstance(given, str):
        message = "expected a text in quotes, or a reference to a secret"
        raise ValueError(message)  # noqa: TRY004 - pydantic makes one line of a ValueError
    return given


def secrets_in(part: object) -> Iterator[Secret]:
    """Every secret of a part of the inventory, however deep it lies."""
    if isinstance(part, Secret):
        yield part
        return
    inner = part if isinstance(part, Mapping) else getattr(part, "__dict__", {})
    for value in part if isinstance(part, tuple) else inner.values():
        yield from secrets_in(value)


SecretField = Annotated[
    Secret,
    PlainValidator(_validate),
    PlainSerializer(lambda secret: secret.reference, return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^(env|file|block):.+", "title": "Reference to a secret"}),
]

SecretOrText = Annotated[
    Secret | str,
    PlainValidator(_validate_text),
    PlainSerializer(lambda value: value.reference if isinstance(value, Secret) else value, return_type=str),
    WithJsonSchema({"type": "string", "title": "A text, or a reference to a secret"}),
]
