"""Whether disks, memory and processors will do, now and by the trend. Every summary names the host that it is about."""

from collections.abc import Callable, Sequence
from shlex import quote

from atomops.facts.capacity import CapacityFacts, FileSystem, Sample, WatchedPath
from atomops.facts.growth import LEAST_PAST, LEAST_SAMPLES, days_to_full, is_long_enough
from atomops.humane import plural, size, span
from atomops.registry import check
from atomops.verdict import Evidence, Gap, NotSeen, Reading, Unseen, known

SECTION = "Capacity"
_MIXIN = "postgres_exporter mixin"
_SHOWN = 20  # rows of evidence
_DAY = 86_400  # seconds
_CENTURY = 36_500  # days: beyond, a trend says no more than "not in our time"


@check("DISK-PATHS", section=SECTION, unit="paths", source="inventory")
def paths(seen: CapacityFacts) -> Reading:
    """Every path of the inventory's host.paths can be looked at; one that cannot is unknown by its name."""
    unseen = [(each.path, each.mount) for each in seen.paths if isinstance(each.mount, Unseen)]
    rows = [(each.path, each.mount) for each in seen.paths if isinstance(each.mount, str)]
    if unseen:
        reasons = "; ".join(why.reason for _, why in unseen[:_SHOWN])
        return Reading(
            None,
            f"{len(unseen)} of {plural(len(seen.paths), 'path')} unknown: {reasons}",
            action=unseen[0][1].action,
            evidence=Evidence.of(("path", "reason"), ((path, why.reason) for path, why in unseen[:_SHOWN])),
        )
    return Reading(
        len(rows),
        f"{plural(len(rows), 'path')} on {plural(len(seen.file_systems), 'file system')} of {seen.host}",
        evidence=Evidence.of(("path", "mounted at"), rows[:_SHOWN]),
    )


@check(
    "DISK-USED",
    section=SECTION,
    warning=0.85,
    critical=0.95,
    unit="ratio",
    source=_MIXIN,
    trend="host.disk_used",
)
def disk_used(seen: CapacityFacts) -> Reading:
    """The fullest file system has room, as `df` counts it: of what users other than root can have."""
    fullest, share = _fullest(_file_systems(seen), _used_share)
    return Reading(
        share,
        f"{_place(seen, fullest)} is {100 * share:.0f} % used, {size(fullest.available)} are left, on {seen.host}",
        action=f"look what grew: du -xh --max-depth=2 {quote(fullest.mount)} | sort -h | tail; prune, or enlarge it",
        evidence=_disks(seen),
    )


@check("DISK-INODES", section=SECTION, warning=0.85, critical=0.95, unit="ratio", source=_MIXIN)
def disk_inodes(seen: CapacityFacts) -> Reading | Gap:
    """A file system without free inodes is full, whatever its bytes say."""
    counted = [each for each in _file_systems(seen) if each.inodes]
    if not counted:
        return Gap(SECTION, f"inodes: no watched file system of {seen.host} has a fixed number of them")
    fullest, share = _fullest(counted, _inode_share)
    return Reading(
        share,
        f"{100 * share:.0f} % of the inodes of {_place(seen, fullest)} are used, on {seen.host}",
        action=f"look for many small files: du --inodes -x --max-depth=3 {quote(fullest.mount)} | sort -n | tail",
        evidence=_disks(seen),
    )


@check(
    "DISK-DAYS-TO-FULL",
    section=SECTION,
    warning=30,
    critical=7,
    worse="lower",
    unit="days",
    source="check catalogue (linear trend)",
)
def disk_days_to_full(seen: CapacityFacts) -> Reading | Gap:
    """If it goes on like that, no file system is full within a month; judged from three samples over a day at least."""
    courses = [(each, _course(seen, each)) for each in _file_systems(seen)]
    judged = [(each, course) for each, course in courses if is_long_enough(course)]
    if not judged:
        return Gap(SECTION, f"days until a disk is full: {_too_short([course for _, course in courses])}")
    days = {each.mount: min(days_to_full(course, each.available), _CENTURY) for each, course in judged}
    soonest = min((each for each, _ in judged), key=lambda each: days[each.mount])
    rows = ((each.mount, _days(days[each.mount]), len(course), _past(course)) for each, course in judged[:_SHOWN])
    return Reading(
        days[soonest.mount],
        f"by its trend {_place(seen, soonest)} {_days(days[soonest.mount])}, on {seen.host}"
        + _left_out(courses, judged),
        action=f"look for what grows: du -xh --max-depth=2 {quote(soonest.mount)} | sort -h | tail; plan room for it",
        evidence=Evidence.of(("mounted at", "by its trend", "samples", "over"), rows),
    )


@check(
    "HOST-MEMORY-AVAILABLE",
    section=SECTION,
    warning=0.10,
    critical=0.05,
    worse="lower",
    unit="ratio",
    source="awesome-prometheus-alerts; half of it",
    trend="host.memory_available",
)
def memory_available(seen: CapacityFacts) -> Reading:
    """There is memory for a burst: what is available without swapping, caches that can go included."""
    memory = known(seen.memory)
    share = memory.available / memory.total
    return Reading(
        share,
        f"{100 * share:.0f} % of the memory ({size(memory.available)} of {size(memory.total)}) is available on "
        f"{seen.host}",
        action="ps aux --sort=-rss | head, on that host; look at PG-CONNECTIONS and REDIS-MEMORY",
    )


@check(
    "HOST-LOAD",
    section=SECTION,
    warning=2,
    unit="per processor",
    source="node_exporter mixin (NodeSystemSaturation)",
    trend="host.load",
)
def load(seen: CapacityFacts) -> Reading:
    """Over five minutes no more than two tasks a processor want to run; being busy alone is no emergency."""
    now = known(seen.load)
    return Reading(
        now.average / now.cores,
        f"the load of 5 minutes is {now.average:.2f} on {plural(int(now.cores), 'processor')} of {seen.host}",
        action="top, on that host; tasks that wait for a disk count too: vmstat 1 5, column wa",
    )


def _file_systems(seen: CapacityFacts) -> tuple[FileSystem, ...]:
    """UNKNOWN, with the reason of the first path, where none can be looked at."""
    if not seen.file_systems:
        raise NotSeen(next(each.mount for each in seen.paths if isinstance(each.mount, Unseen)))
    return seen.file_systems


def _fullest(found: Sequence[FileSystem], share: Callable[[FileSystem], float]) -> tuple[FileSystem, float]:
    fullest = max(found, key=share)
    return fullest, share(fullest)


def _used_share(seen: FileSystem) -> float:
    return seen.used / (seen.used + seen.available)


def _inode_share(seen: FileSystem) -> float:
    return 1 - seen.inodes_free / seen.inodes


def _place(seen: CapacityFacts, file_system: FileSystem) -> str:
    """The mount point, and the paths that it holds where they are others."""
    held = [each.path for each in _held_by(seen, file_system) if each.path != file_system.mount]
    return f"{file_system.mount} (with {', '.join(held[:_SHOWN])})" if held else file_system.mount


def _held_by(seen: CapacityFacts, file_system: FileSystem) -> list[WatchedPath]:
    return [each for each in seen.paths if each.mount == file_system.mount]


def _disks(seen: CapacityFacts) -> Evidence:
    rows = (
        (
            each.mount,
            f"{100 * _used_share(each):.0f} %",
            size(each.available),
            size(each.size),
            f"{100 * _inode_share(each):.0f} %" if each.inodes else "",
            ", ".join(path.path for path in _held_by(seen, each)),
        )
        for each in seen.file_systems[:_SHOWN]
    )
    return Evidence.of(("mounted at", "used", "left", "size", "inodes used", "holds"), rows)


def _course(seen: CapacityFacts, file_system: FileSystem) -> tuple[Sample, ...]:
    """The past, and now."""
    return (*known(seen.past).get(file_system.mount, ()), Sample(seen.at, file_system.used))


def _past(course: Sequence[Sample]) -> str:
    return span((course[-1].at - course[0].at).total_seconds())


def _too_short(courses: Sequence[Sequence[Sample]]) -> str:
    longest = max(courses, key=len)
    over = f" over {_past(longest)}" if len(longest) > 1 else ""
    return (
        f"{plural(len(longest), 'sample')}{over} so far, and a trend takes {LEAST_SAMPLES} over "
        f"{span(LEAST_PAST.total_seconds())} at least"
    )


def _left_out(every: Sequence[object], judged: Sequence[object]) -> str:
    missing = len(every) - len(judged)
    return f"; {plural(missing, 'file system')} with too short a past for one" if missing else ""


def _days(days: float) -> str:
    if days >= _CENTURY:
        return "does not fill up"
    return f"is full in {plural(round(days), 'day') if days >= 1 else span(days * _DAY)}"
