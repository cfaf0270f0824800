"""Who runs which agents how often, and whether that is usual for them."""

from atomops.facts.executions import ExecutionFacts
from atomops.humane import plural
from atomops.plans.usual import Judged, judge
from atomops.registry import check
from atomops.verdict import Evidence, Gap, Reading, known

SECTION = "Executions"
_OWN = "Atom Ops default"
_SHOWN = 20  # rows of evidence
_NOBODY = "(nobody)"


@check("SEC-EXECUTIONS", section=SECTION, unit="executions", source="operations guide", trend="security.executions")
def by_user_and_agent(seen: ExecutionFacts) -> Reading:
    """The guide's review: executions by user and agent over the last days, the busiest first; information."""
    rows = known(seen.by_pair)
    summary = (
        f"{plural(seen.total, 'execution')} in {plural(seen.days, 'day')}, "
        f"by {plural(seen.pairs, 'pair')} of user and agent"
    )
    if rows:
        first = rows[0]
        summary += f"; the busiest {first.user or _NOBODY} with {first.agent}, {first.executions:,} times"
    columns = ("user", "agent", "executions", "last (UTC)")
    shown = (
        (each.user or _NOBODY, each.agent, f"{each.executions:,}", f"{each.last:%Y-%m-%d %H:%M}")
        for each in rows[:_SHOWN]
    )
    return Reading(seen.total, summary, evidence=Evidence.of(columns, shown))


@check("SEC-EXECUTIONS-UNUSUAL", section=SECTION, warning=1, unit="pairs", source=f"{_OWN}; guide: 100 an hour")
def unusual(seen: ExecutionFacts) -> Reading:
    """The last hour of every user with every agent beside their own hours of the last two weeks.

    A scheduler with its steady 500 an hour is usual; a jump is not, nor is a newcomer with the guide's 100 an hour.
    """
    busy = [judge(hour, seen.usual) for hour in known(seen.hours)]
    odd = sorted((each for each in busy if each.is_unusual), key=lambda each: -each.hour.executions)
    new = sum(each.median is None for each in busy)
    if not odd:
        many = f"{seen.usual.at_least} executions or more in the last hour"
        told = f"{plural(len(busy), 'pair')} of user and agent with {many}"
        history = f"; {new} with too little history, held against {seen.usual.fixed} an hour" if new else ""
        return Reading(0, f"{told}, none unusual{history}", evidence=_hours(busy))
    first = odd[0].hour
    return Reading(
        len(odd),
        f"{plural(len(odd), 'pair')} of user and agent unusually busy: {first.user or _NOBODY} with {first.agent}, "
        f"{first.executions:,} executions in the last hour, unusual from {odd[0].limit:,.0f} on",
        action=f"ask {first.user or 'its owner'}: a release, a loop, or another's token? else pause {first.agent}",
        evidence=_hours(odd),
    )


@check("SEC-EXECUTIONS-ADDRESSES", section=SECTION, warning=5, critical=20, unit="addresses", source=_OWN)
def addresses(seen: ExecutionFacts) -> Reading | Gap:
    """One user runs agents from few addresses at a time; many at once are a token that has been passed on."""
    if seen.addresses is None:
        return Gap(SECTION, f"addresses of executions: the profile {known(seen.profile)} has no column for them")
    users = sorted(known(seen.addresses), key=lambda each: -each.many)
    if not users:
        return Reading(0, "no execution of the last hour bears an address")
    first, fresh = users[0], sum(len(each.fresh) for each in users)
    rows = (
        (each.user or _NOBODY, each.many, ", ".join(each.addresses), ", ".join(each.fresh)) for each in users[:_SHOWN]
    )
    most = f"{first.user or _NOBODY} ran agents from {plural(first.many, 'address')} in the last hour"
    return Reading(
        first.many,
        f"{most}, the most of {plural(len(users), 'user')}; "
        f"{plural(fresh, 'address')} not seen before in {plural(seen.usual.baseline_days, 'day')}",
        action=f"ask {first.user or 'them'}; if it is not theirs, revoke the tokens and set a new password",
        evidence=Evidence.of(("user", "addresses", "which", "new"), rows),
    )


def _hours(judged: list[Judged]) -> Evidence:
    columns = ("user", "agent", "last hour", "unusual from", "because")
    rows = (
        (each.hour.user or _NOBODY, each.hour.agent, each.hour.executions, f"{each.limit:,.0f}", each.basis)
        for each in judged[:_SHOWN]
    )
    return Evidence.of(columns, rows)
