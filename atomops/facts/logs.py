"""What was seen in the application's log files. Times are aware UTC, sizes bytes."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ErrorGroup:
    """Records that tell the same story: the same error code or, without one, the same masked text.

    `level` is ERROR or CRITICAL. `pattern` is the text with everything variable masked, `sample` one real text,
    shortened; neither carries a password or a token. `logger` is where the first of them came from.
    """

    level: str
    code: str | None
    pattern: str
    sample: str
    logger: str | None
    count: int
    first: dt.datetime
    last: dt.datetime

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same group at the next look."""
        return self.level, self.code or self.pattern

    @property
    def name(self) -> str:
        """The code, or the masked text."""
        return self.code or self.pattern


@dataclass(frozen=True)
class FileRead:
    """`start` is where reading began: all before it is older than the window."""

    path: str
    size: int
    start: int


@dataclass(frozen=True)
class FileSkipped:
    """A file that may hold records of the window and was not read to its end. `kind` is missing, denied or other."""

    path: str
    kind: str
    reason: str
    action: str


@dataclass(frozen=True)
class LogFacts:
    """The records of the last `hours` before `at`.

    `totals` counts error records by level as the application writes it, in upper case, `critical` those worse than an
    error. `ungrouped` are those beyond the bound on the number of groups. `lines`, `bytes` and `not_json` count all
    that was read; `unreadable` only lines of the window: broken JSON, undecodable bytes, or longer than can be judged.
    `undated` are errors of files without any time, dated by the file's last change. `levelled` are lines that say how
    bad they are, of the errors and of the log's end: 0 means a log of a shape that we do not know. `unfinished` are
    files whose last line was still being written. `newest` is the latest time of a record that is not in the future;
    `ahead` is how many seconds the furthest record lies in the future.
    """

    at: dt.datetime
    hours: float
    files: tuple[FileRead, ...]
    skipped: tuple[FileSkipped, ...]
    groups: tuple[ErrorGroup, ...]
    totals: Mapping[str, int]
    critical: int
    ungrouped: int
    lines: int
    bytes: int
    not_json: int
    unreadable: int
    undated: int
    levelled: int
    unfinished: tuple[str, ...]
    newest: dt.datetime | None
    ahead: float

    @property
    def since(self) -> dt.datetime:
        """Where the window begins."""
        return self.at - dt.timedelta(hours=self.hours)
