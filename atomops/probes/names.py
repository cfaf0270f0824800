"""Ask for a host's address before a client does: a name server that hangs must not hold up the whole process."""

import asyncio
import contextlib
import socket
import threading

from atomops.errors import TimedOut, Unreachable

_PATIENCE = 4  # seconds; shorter than the time-outs of the probes, so that theirs do not hide the cause


async def resolve(host: str) -> None:
    """The host has an address. Raises Unreachable when nobody knows it, TimedOut when the name server hangs.

    The event loop's own look-ups run in its thread pool, which asyncio waits for at the end, however long they take.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[OSError | UnicodeError | None] = loop.create_future()
    threading.Thread(target=_ask, args=(host, loop, answer), daemon=True).start()
    try:
        async with asyncio.timeout(_PATIENCE):
            refused = await answer
    except TimeoutError as error:
        what = f"the name server did not say within {_PATIENCE} s where {host} is"
        raise TimedOut(what, action="look at /etc/resolv.conf and the DNS") from error
    if refused is not None:
        raise _unknown(host, refused) from refused


def _ask(host: str, loop: asyncio.AbstractEventLoop, answer: "asyncio.Future[OSError | UnicodeError | None]") -> None:
    refused: OSError | UnicodeError | None = None
    try:
        socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        refused = error
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
        loop.call_soon_threadsafe(_tell, answer, refused)


def _tell(answer: "asyncio.Future[OSError | UnicodeError | None]", refused: OSError | UnicodeError | None) -> None:
    if not answer.done():
        answer.set_result(refused)


def _unknown(host: str, refused: OSError | UnicodeError) -> Unreachable:
    if isinstance(refused, socket.gaierror) and refused.errno == socket.EAI_AGAIN:
        return Unreachable(f"the name server cannot say where {host} is", action="look at /etc/resolv.conf and the DNS")
    return Unreachable(f"{host} is a host that nobody knows", action="check the address in the inventory, and the DNS")
