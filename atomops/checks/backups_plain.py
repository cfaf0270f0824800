"""What the guide's own script has left beside the sets: files that nobody has ever restored."""

from atomops.checks.backups import SECTION
from atomops.facts.backup_stores import BackupFacts, PlainDump, PlainDumps
from atomops.humane import plural, size, span
from atomops.registry import check
from atomops.verdict import Evidence, Gap, Reading, Unseen, known

_SHOWN = 20  # rows of evidence
_NAMED = 5
_NONE = Gap(SECTION, "the guide's own dumps: there are none (backup_*.sql.gz)")


@check("BACKUP-PLAIN-BROKEN", section=SECTION, warning=1, unit="files", source="operations guide (backup integrity)")
def plain_dumps(seen: BackupFacts) -> Reading | Gap:
    """The newest files of the guide's own script are whole: packed well, and with the end that pg_dump writes.

    A failed `pg_dump | gzip` exits with 0 and leaves 20 bytes. A whole file is not proven: nobody has restored it.
    """
    files = _files(seen)
    broken = [each for each in files if isinstance(each.problem, str) and each.problem]
    if broken:
        first = f"{broken[0].path}, {broken[0].problem}"
        told = f"{len(broken)} of the newest {plural(len(files), 'plain dump')} broken: {first}"
        action = "do not restore them; end the guide's cron job, and run nightly-backup instead, which proves its sets"
        return Reading(len(broken), told, action, _evidence(seen, files))
    _all_listed(seen)
    for each in files:
        if isinstance(each.problem, Unseen):
            told = f"{each.path}: {each.problem.reason}"
            return Reading(None, told, each.problem.action, _evidence(seen, files))
    if not files:
        return _NONE
    number = sum(folder.number for folder in _folders(seen))
    told = f"{plural(number, 'plain dump')} of the guide's script: the newest {len(files)} whole, but unproven"
    return Reading(0, told, evidence=_evidence(seen, files))


@check("BACKUP-PLAIN-EXPOSED", section=SECTION, warning=1, unit="files", source="least privilege")
def exposed_dumps(seen: BackupFacts) -> Reading | Gap:
    """No dump of the guide's own script may be read by every user of its machine: it holds the whole database."""
    files = _files(seen)
    exposed = [each.path for each in files if each.is_public]
    if not exposed:
        _all_listed(seen)
    if not files:
        return _NONE
    return Reading(
        len(exposed),
        f"{len(exposed)} of the newest {plural(len(files), 'plain dump')} readable by every user",
        action=f"chmod go= {' '.join(exposed[:_NAMED])}; umask 077 in the script" if exposed else "",
    )


def _folders(seen: BackupFacts) -> list[PlainDumps]:
    return [store.plain for store in seen.stores if isinstance(store.plain, PlainDumps)]


def _files(seen: BackupFacts) -> list[PlainDump]:
    return [file for folder in _folders(seen) for file in folder.newest]


def _all_listed(seen: BackupFacts) -> None:
    """That nothing bad was found counts only when every folder could be looked at."""
    for store in seen.stores:
        known(store.plain)


def _evidence(seen: BackupFacts, files: list[PlainDump]) -> Evidence:
    rows = (
        (each.path, span((seen.at - each.at).total_seconds()), size(each.bytes), _state(each))
        for each in files[:_SHOWN]
    )
    return Evidence.of(("file", "age", "size", "state"), rows)


def _state(each: PlainDump) -> str:
    if isinstance(each.problem, Unseen):
        return each.problem.reason
    return each.problem or "whole, unproven"
