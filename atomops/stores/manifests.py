"""Manifests and proofs as JSON, and back."""

import json
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from atomops.errors import BadAnswer
from atomops.facts.backup import MADE_BY, SCHEMA, Manifest, Proof

_OF_DATABASES = {"origin", "contents", "client_version", "codec"}
Kind = TypeVar("Kind", Manifest, Proof)


def encode(what: Manifest | Proof) -> bytes:
    """Indented, so that a person can read it with nothing but `less`."""
    left_out = _OF_DATABASES if isinstance(what, Manifest) and what.configuration is not None else None
    return to_json(what, indent=2, exclude=left_out) + b"\n"


def decode_manifest(text: bytes, set_id: str) -> Manifest:
    """The manifest of that set. Raises BadAnswer for one that is damaged, foreign, of another set, or too new."""
    manifest = _decode(text, Manifest)
    if manifest.made_by != MADE_BY or manifest.id != set_id:
        raise BadAnswer(f"its manifest is that of {manifest.id!r}, made by {manifest.made_by!r}")
    return manifest


def decode_proof(text: bytes) -> Proof:
    """The proof. Raises BadAnswer."""
    return _decode(text, Proof)


def _decode(text: bytes, kind: type[Kind]) -> Kind:
    try:
        schema = json.loads(text)["schema"]
    except (ValueError, TypeError, KeyError) as error:
        raise BadAnswer(f"its {kind.__name__.lower()} is damaged: {error!r}") from error
    if schema != SCHEMA:
        raise BadAnswer(f"made by another version of Atom Ops (schema {schema})", action="use a newer Atom Ops")
    try:
        return TypeAdapter(kind).validate_json(text)
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, problem["loc"]))
        raise BadAnswer(f"its {kind.__name__.lower()} is damaged: {place}: {problem['msg']}") from error
