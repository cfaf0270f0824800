"""Ports that stay a test's own, whatever else runs on the machine."""

import socket


def own_port() -> int:
    """A TCP port of 127.0.0.1 that the kernel gives to nobody else as long as this process lives.

    A server that is told to may listen on it, again and again (all that we start set SO_REUSEADDR). Until one does, it
    refuses connections.
    """
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    port: int = holder.getsockname()[1]
    holder.detach()  # or it would be closed, and the port given away, with the last reference to it
    return port
