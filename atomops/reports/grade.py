"""The school grade of a report. A worse finding never gives a better one."""

from collections.abc import Sequence

from atomops.verdict import Level

GRADES = "ABCDF"
_SOME_WARNINGS = 4
_MANY_CRITICAL = 3


def grade(levels: Sequence[Level], *, of: int) -> str:
    """The grade for the levels that count, among `of` checks. Anything critical caps it at D.

    A: all well. B: up to three warnings. C: more, or something unknown. D: something critical, or more than a quarter
    unknown. F: three criticals or more, or nothing that counts. Each count includes whatever is worse, which keeps a
    worse finding from ever giving a better grade.
    """
    if not levels:
        return GRADES[-1]
    warnings, unknowns, criticals = (
        sum(level.rank >= least.rank for level in levels) for least in (Level.WARNING, Level.UNKNOWN, Level.CRITICAL)
    )
    reached = (
        warnings > 0,
        warnings >= _SOME_WARNINGS or unknowns > 0,
        criticals > 0 or 4 * unknowns > of,
        criticals >= _MANY_CRITICAL,
    )
    return GRADES[max((step for step, is_reached in enumerate(reached, start=1) if is_reached), default=0)]
