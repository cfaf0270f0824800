"""`make bench`: every benchmark, one after the other, each as ratios measured in this run on this machine."""

import bench.logs
import bench.overhead


def main() -> None:
    """Run them all."""
    bench.overhead.main()
    bench.logs.main()


if __name__ == "__main__":
    main()
