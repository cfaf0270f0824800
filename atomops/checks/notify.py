"""Whether those who are to be told have been."""

from collections import Counter

from atomops.facts.incidents import NotifyFacts
from atomops.humane import plural, span
from atomops.registry import check
from atomops.verdict import Evidence, Reading

SECTION = "Notifications"
_SHOWN = 10


@check("NOTIFY-OWED", section=SECTION, warning=1, unit="messages", source="Atom Ops default")
def owed(seen: NotifyFacts) -> Reading:
    """Every message has gone out; one that could not is kept, and tried again with the next report."""
    if not seen.owed:
        return Reading(0, f"nothing is owed to {plural(len(seen.channels), 'channel')}")
    channels = Counter(each.channel for each in seen.owed)
    oldest = min(each.at for each in seen.owed)
    waited = span((seen.at - oldest).total_seconds())
    rows = ((each.channel, each.subject, each.attempts, each.error or "not tried yet") for each in seen.owed[:_SHOWN])
    return Reading(
        len(seen.owed),
        f"{plural(len(seen.owed), 'message')} could not be delivered to {', '.join(sorted(channels))}, for {waited}",
        action="mend the channel (its error is in the table); the next report sends what is owed",
        evidence=Evidence.of(("channel", "message", "attempts", "error"), rows),
    )
