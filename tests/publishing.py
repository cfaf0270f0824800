"""A process of its own that publishes a set: `python -m tests.publishing URL PREFIX FOLDER SIZE`.

It is there to be killed, and to be measured without the test's own memory: it prints the most that it ever took.
"""

import sys
from pathlib import Path

from atomops.stores.choose import store_of
from tests.backup_sets import manifest
from tests.s3_servers import S3Server


def main(url: str, prefix: str, folder: str, size: str) -> int:
    settings = S3Server(url, frozenset()).settings(prefix)
    store_of(settings, "production").publish(Path(folder), manifest(sizes={"data/1.dat": int(size)}))
    print(peak())  # noqa: T201 - a command, which prints
    return 0


def peak() -> int:
    """Bytes of memory. The kernel's `ru_maxrss` would begin with those of the process that has forked us."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
