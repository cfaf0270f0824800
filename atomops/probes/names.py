"""Ask for a host's address before a client does: a name server that hangs must not hold up the whole process."""

import asyncio
import ipaddress
import socket

from atomops.errors import TimedOut, Unreachable
from atomops.threads import beside

_PATIENCE = 4  # seconds; shorter than the time-outs of the probes, so that theirs do not hide the cause


async def resolve(host: str) -> None:
    """The host has an address. Raises Unreachable when nobody knows it, TimedOut when the name server hangs."""
    if _is_address(host):
        return
    try:
        async with asyncio.timeout(_PATIENCE):
            await beside(lambda: socket.getaddrinfo(host, None, type=socket.SOCK_STREAM))
    except TimeoutError as error:
        what = f"the name server did not say within {_PATIENCE} s where {host} is"
        raise TimedOut(what, action="look at /etc/resolv.conf and the DNS") from error
    except (OSError, UnicodeError) as error:
        raise _unknown(host, error) from error


def _is_address(host: str) -> bool:
    """Nobody need be asked."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _unknown(host: str, refused: OSError | UnicodeError) -> Unreachable:
    if isinstance(refused, socket.gaierror) and refused.errno == socket.EAI_AGAIN:
        return Unreachable(f"the name server cannot say where {host} is", action="look at /etc/resolv.conf and the DNS")
    return Unreachable(f"{host} is a host that nobody knows", action="check the address in the inventory, and the DNS")
