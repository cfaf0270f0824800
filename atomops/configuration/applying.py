"""Objects put back by server-side apply: looked at by the server's own dry run first, nothing ever deleted."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from atomops.configuration.kubernetes import call_of
from atomops.configuration.reading import Content
from atomops.errors import AtomOpsError, NotThere, TimedOut, Unreachable
from atomops.facts.configuration import Difference, Item
from atomops.facts.configuration_restore import Deed, Fate, Restoration
from atomops.inventory import Configuration, Kubernetes
from atomops.plans.configuration.changes import differences
from atomops.plans.configuration.found import Found, found_object
from atomops.plans.configuration.kinds import BY_NAME
from atomops.plans.configuration.secret_values import secret_values
from atomops.reports.redact import redact
from atomops.runtimes.kubernetes.api import Api
from atomops.runtimes.kubernetes.calls import Call, Conflict, Json

_TAKE_OVER = "look who manages it now, and if the set is right: take_over=true"
_IMMUTABLE = "what is immutable is only changed by deleting the object and creating it anew: by hand, if at all"


class Applier:
    """The API server of the inventory's runtime, in its namespace."""

    def __init__(self, runtime: Kubernetes, settings: Configuration, *, take_over: bool) -> None:
        self._api, self._namespace, self._take_over = Api(runtime), runtime.namespace, take_over
        self._settings = settings

    async def look(self, content: Content) -> Restoration:
        """What applying it would do, by the server's own dry run. Never raises AtomOpsError."""
        kind, name = content.item.kind, content.item.name
        call, document = self._call_of(content)
        try:
            live = await self._live(call)
            would, conflicts = await self._would_be(call, document)
        except AtomOpsError as error:
            return self._failed(Restoration(name, kind, Deed.UNKNOWN), error, content)
        if live is None:
            return Restoration(name, kind, Deed.CREATE, notes=content.item.notes)
        before, after = found_object(kind, live), found_object(kind, would)
        changes = _between(before, after)
        deed = Deed.CHANGE if changes else Deed.NOTHING
        conflicts = conflicts if changes else ""
        return Restoration(name, kind, deed, changes, tuple(_stays(live, document)), conflicts)

    async def apply(self, content: Content, planned: Restoration) -> Restoration:
        """What became of it. Never raises AtomOpsError."""
        call, document = self._call_of(content)
        if planned.conflicts and not self._take_over:
            return replace(planned, fate=Fate.FAILED, reason=planned.conflicts, action=_TAKE_OVER)
        try:
            await self._api.apply(call, document, until=self._until, force=self._take_over, dry_run=False)
        except AtomOpsError as error:
            return self._failed(planned, error, content)
        return replace(planned, fate=Fate.DONE)

    @property
    def _until(self) -> float:
        return time.monotonic() + self._settings.deadline

    def _call_of(self, content: Content) -> tuple[Call, Json]:
        """The request, and the document in the namespace of the inventory, whichever it was taken from."""
        document: Json = dict(content.document)
        document["metadata"] = {**_mapping(document["metadata"]), "namespace": self._namespace}
        kind = BY_NAME[content.item.kind]
        return call_of(kind, "patch", self._namespace, document["metadata"]["name"]), document

    async def _live(self, call: Call) -> Json | None:
        try:
            return await self._api.get(replace(call, verb="get"), until=self._until)
        except NotThere:
            return None

    async def _would_be(self, call: Call, document: Json) -> tuple[Json, str]:
        """The object as it would be, and who else manages what would change."""
        try:
            found = await self._api.apply(call, document, until=self._until, force=self._take_over, dry_run=True)
        except Conflict as conflict:
            found = await self._api.apply(call, document, until=self._until, force=True, dry_run=True)
            return found, conflict.what
        return found, ""

    @staticmethod
    def _failed(planned: Restoration, error: AtomOpsError, content: Content) -> Restoration:
        """A server quotes what it refuses: nothing of a Secret may come out that way."""
        hidden = list(secret_values(content.document))
        reason, action = redact(error.what, hidden), redact(error.action, hidden)
        if "immutable" in reason:
            action = _IMMUTABLE
        if isinstance(error, Conflict):
            action = _TAKE_OVER
        is_away = isinstance(error, Unreachable | TimedOut)
        return replace(planned, fate=Fate.FAILED, reason=reason, action=action, is_of_an_absent_server=is_away)


def _between(before: Found, after: Found) -> tuple[Difference, ...]:
    old, new = {before.name: before.fields}, {after.name: after.fields}
    return differences({before.name: _item(before)}, {after.name: _item(after)}, old, new)


def _item(found: Found) -> Item:
    """With the values themselves for digests: it never leaves this room."""
    return Item(found.name, found.kind, found.place, found.is_secret, found.fields, found.shown)


def _stays(live: Json, document: Json) -> Iterator[str]:
    for part in ("data", "binaryData"):
        wanted = document.get(part) or {}
        yield from (f"{part}.{key}" for key in sorted(live.get(part) or {}) if key not in wanted)


def _mapping(value: Any) -> Mapping[str, Any]:  # noqa: ANN401 - of a document that was parsed
    return value if isinstance(value, Mapping) else {}
