"""The school grade of a report. A worse finding never gives a better one."""

from collections.abc import Sequence

from atomops.verdict import Level

GRADES = "ABCDF"
_SOME_WARNINGS = 4
_MANY_CRITICAL = 3


def grade(levels: Sequence[Level]) -> str:
    """A: all well. B: up to three warnings. C: more, or something unknown. D: something critical, or a quarter unknown.

    F: three criticals or more. Nothing at all is F. Each count includes whatever is worse, which keeps it monotone.
    """
    if not levels:
        return GRADES[-1]
    warnings, unknowns, criticals = (
        sum(level.rank >= least.rank for level in levels) for least in (Level.WARNING, Level.UNKNOWN, Level.CRITICAL)
    )
    steps = (
        warnings > 0,
        warnings >= _SOME_WARNINGS or unknowns > 0,
        criticals > 0 or 4 * unknowns > len(levels),
        criticals >= _MANY_CRITICAL,
    )
    return GRADES[max((step for step, reached in enumerate(steps, start=1) if reached), default=0)]
