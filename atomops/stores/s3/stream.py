"""An object's body as a binary file that is read once, from its beginning to its end."""

import io
from typing import BinaryIO, Protocol, cast

from atomops.stores.s3.refusals import at_work

_BUFFER = 256 << 10  # bytes


class Body(Protocol):
    """What boto3 gives: it raises when there is less than was announced."""

    def read(self, amt: int) -> bytes:
        """At most so many bytes; none at the end."""


class _Stream(io.RawIOBase):
    def __init__(self, body: Body, store: str) -> None:
        self._body = body
        self._store = store

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        with at_work(self._store):
            piece = self._body.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


def buffered(body: Body, store: str) -> BinaryIO:
    """The body in bounded memory. Reading raises Unreachable or TimedOut when the connection breaks."""
    return cast("BinaryIO", io.BufferedReader(_Stream(body, store), _BUFFER))
