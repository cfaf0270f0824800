"""What statistics say of a VACUUM that PostgreSQL calls done, though it skips tables with but a warning. Pure."""

from dataclasses import replace

from atomops.facts.vacuum import TableState
from atomops.plans.vacuum import Step


def shows(step: Step, before: TableState | None, after: TableState) -> bool | None:
    """Whether it was done between these two looks; None when nothing of this table is counted."""
    if before is None:
        return None
    signs = (
        [_counted_up(before.analyzes, after.analyzes)] if step.verb == "ANALYZE" or "ANALYZE" in step.options else []
    )
    if step.verb == "VACUUM":
        is_full = "FULL" in step.options  # which counts as no vacuum, but writes another file
        signs.append(
            before.filenode != after.filenode if is_full else _counted_up(before.vacuums, after.vacuums),
        )
    known = [each for each in signs if each is not None]
    return all(known) if known else None


def _counted_up(before: int | None, after: int | None) -> bool | None:
    return None if before is None or after is None else after > before


def rows_counted(step: Step, after: TableState) -> TableState:
    """FULL counts no rows, so that without ANALYZE the statistics still tell of the table as it was before."""
    stale = "FULL" in step.options and "ANALYZE" not in step.options
    return replace(after, live_rows=None, dead_rows=None) if stale else after
