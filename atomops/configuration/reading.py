"""A set of the configuration read from a store: every byte checked, decrypted in memory, never on a disk."""

import hashlib
from collections.abc import Container, Mapping
from dataclasses import dataclass, field

from atomops.backup.encryption import SUFFIX, decrypted
from atomops.backup.fetching import Damaged
from atomops.errors import BadAnswer, NotThere
from atomops.facts.backup import Manifest, StoredFile
from atomops.facts.configuration import Configuration, Item
from atomops.plans.configuration.documents import from_yaml
from atomops.plans.configuration.fields import fields_of_file, fields_of_object
from atomops.plans.configuration.found import CONTAINER, FILE
from atomops.plans.configuration.kinds import BY_NAME
from atomops.secret import Secret
from atomops.stores.store import Store

_ANOTHER = "use another set or store, and look at that disk"


@dataclass(frozen=True)
class Content:
    """One item of a set, as it was before it was encrypted."""

    item: Item
    content: bytes = field(repr=False)

    @property
    def document(self) -> dict[str, object]:
        """The object. Raises Damaged when it is none, or another than its name says."""
        try:
            found = from_yaml(self.content)
        except ValueError as error:
            raise Damaged(f"{self.item.path} is no YAML", action=_ANOTHER) from error
        expected = BY_NAME[self.item.kind].name if self.item.kind in BY_NAME else None
        if not isinstance(found, dict) or (expected and found.get("kind") != expected):
            raise Damaged(f"{self.item.path} is not {self.item.name}", action=_ANOTHER)
        return found

    @property
    def fields(self) -> dict[str, str]:
        """Its values one by one. Raises Damaged."""
        return fields_of_file(self.content) if self.item.kind == FILE else fields_of_object(self.document)


def configuration_of(manifest: Manifest) -> Configuration:
    """What the set holds. Raises NotThere for the set of a database."""
    if manifest.configuration is None:
        raise NotThere(f"{manifest.id} is no set of a configuration", action="atomops backups list")
    return manifest.configuration


def read_again(store: Store, manifest: Manifest) -> dict[str, bytes]:
    """Every stored file, as it was written. Blocks. Raises Damaged, NotThere, and what the store raises."""
    return {file.path: _read(store, manifest, file) for file in manifest.files}


def contents_of(
    store: Store, manifest: Manifest, identity: Secret | None, names: Container[str] | None = None
) -> Mapping[str, Content]:
    """The items by name, all or those. Blocks. Raises Damaged, NotThere without an identity, and as the store does."""
    return opened(read_again(store, manifest), manifest, identity, names)


def opened(
    stored: Mapping[str, bytes], manifest: Manifest, identity: Secret | None, names: Container[str] | None = None
) -> Mapping[str, Content]:
    """The items of what was read, decrypted and parsed. Raises Damaged, NotThere, SecretError."""
    if manifest.encrypted_for and identity is None:
        action = "set configuration.identity or backups.identity to the private key of one of its recipients"
        raise NotThere(f"{manifest.id} is encrypted, and no identity is at hand", action=action)
    known = configuration_of(manifest).items
    return {
        each.name: _opened(each, stored, manifest, identity) for each in known if names is None or each.name in names
    }


def _opened(item: Item, stored: Mapping[str, bytes], manifest: Manifest, identity: Secret | None) -> Content:
    if item.path not in stored:
        raise Damaged(f"the manifest of {manifest.id} names no file {item.path}", action=_ANOTHER)
    content = stored[item.path]
    if item.path.endswith(SUFFIX) and identity is not None:
        try:
            content = decrypted(content, identity.reveal())
        except BadAnswer as error:
            raise Damaged(f"{item.path} of {manifest.id} is damaged", action=_ANOTHER) from error
    found = Content(item, content)
    if item.kind in BY_NAME or item.kind == CONTAINER:
        _ = found.document
    return found


def _read(store: Store, manifest: Manifest, file: StoredFile) -> bytes:
    with store.open(manifest.id, file.path) as stream:
        content = stream.read(file.bytes + 1)
        while len(content) <= file.bytes and (more := stream.read(file.bytes + 1 - len(content))):
            content += more
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise Damaged(f"{file.path} of {manifest.id} in {store.name} is not as it was written", action=_ANOTHER)
    return content
