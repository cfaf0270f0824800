"""Processes that may end while they are looked at."""

import psutil


def children() -> dict[psutil.Process, str]:
    """Every descendant of ours that is alive, with its name."""
    found = {}
    for each in psutil.Process().children(recursive=True):
        try:
            if each.status() != psutil.STATUS_ZOMBIE:
                found[each] = each.name()
        except psutil.NoSuchProcess:
            continue
    return found
