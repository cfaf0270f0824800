"""Until when each major release of PostgreSQL is mended, and the minor ones that we know of. Written November 2026."""

import datetime as dt

AS_OF = "postgresql.org/support/versioning, as of November 2026"
END_OF_LIFE = {
    13: dt.date(2025, 11, 13),
    14: dt.date(2026, 11, 12),
    15: dt.date(2027, 11, 11),
    16: dt.date(2028, 11, 9),
    17: dt.date(2029, 11, 8),
    18: dt.date(2030, 11, 14),
}
KNOWN_MINOR = {13: 23, 14: 23, 15: 18, 16: 14, 17: 10, 18: 6}  # these exist; there may be newer ones


def days_of_support(major: int, today: dt.date) -> int | None:
    """Days until nobody mends it any more; negative when that is past, None of a release that we know nothing of.

    What is older than all that we know has ended at the latest with the first of them.
    """
    ended = END_OF_LIFE[min(END_OF_LIFE)] if major < min(END_OF_LIFE) else END_OF_LIFE.get(major)
    return None if ended is None else (ended - today).days


def minors_behind(version_number: int) -> int | None:
    """How many minor releases that we know of came after it, at least; None of a major that we do not know."""
    newest = KNOWN_MINOR.get(version_number // 10_000)
    return None if newest is None else max(0, newest - version_number % 10_000)
