"""`make bench`: every benchmark, one after the other, each as ratios measured in this run on this machine."""

import bench.backup
import bench.fleet
import bench.logs
import bench.overhead
import bench.restore


def main() -> None:
    """Run them all."""
    bench.overhead.main()
    bench.logs.main()
    bench.backup.main()
    bench.restore.main()
    bench.fleet.main()


if __name__ == "__main__":
    main()
