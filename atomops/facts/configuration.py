"""A backup of the configuration: what is in a set of it, what is not and why, and what has changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Why(StrEnum):
    """Why something is not in a set."""

    UNKNOWN = "unknown"  # we may not, or cannot, look at it
    REFUSED = "refused"  # it is secret, and there is nobody to encrypt it for
    MISSING = "missing"  # it is named, and is not there
    BY_INTENTION = "left out"


@dataclass(frozen=True)
class NotTaken:
    """Something that is not in the set, with the reason and what would change that."""

    name: str
    why: Why
    reason: str
    action: str = ""


@dataclass(frozen=True)
class Item:
    """One object, file or container. Nothing in here tells a secret value: a manifest is stored as plain text.

    `name` is "ConfigMap/atom-config", "/etc/atom/atom.env" or "container/atom-1"; `path` its file in the set as it is
    stored. `digests` has a keyed digest of each field's value; `shown` what is worth seeing, such as images. `mode`
    and `owner` are those of a file, `link` where it leads when it is a symbolic one.
    """

    name: str
    kind: str
    path: str
    is_secret: bool
    digests: Mapping[str, str]
    shown: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    mode: str = ""
    owner: str = ""
    link: str = ""

    @property
    def is_secret_whole(self) -> bool:
        """Whether none of its values may be shown; of any other one those that look secret may not."""
        return self.kind in {"Secret", "container"} or (self.kind == "file" and self.is_secret)


@dataclass(frozen=True)
class Configuration:
    """What a set of a configuration holds. It is complete when nothing that should be in it is not.

    `runtime` says what it is the configuration of, `digest_key` which key the digests were made with.
    """

    runtime: str
    items: tuple[Item, ...]
    not_taken: tuple[NotTaken, ...] = ()
    digest_key: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether everything is in it that should be."""
        return all(each.why is Why.BY_INTENTION for each in self.not_taken)

    def without(self, *why: Why) -> tuple[NotTaken, ...]:
        """What is not in it for one of these reasons."""
        return tuple(each for each in self.not_taken if each.why in why)


@dataclass(frozen=True)
class Difference:
    """One field that is another one than in the last set. `told` is what may be said of it, without secret values."""

    item: str
    field: str
    what: str
    told: str = ""
    is_striking: bool = False
