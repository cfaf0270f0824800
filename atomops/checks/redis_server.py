"""Redis as a server: does it answer, who is it, and how many may still come?"""

from atomops.facts.outcome import Outcome
from atomops.facts.redis import RedisFacts, mode, number
from atomops.humane import plural, span
from atomops.registry import check
from atomops.verdict import Gap, Reading, known

SECTION = "Redis"
_APA = "awesome-prometheus-alerts"
_SAME_CLOCK = 0.01  # seconds


@check("REDIS-REACHABLE", section=SECTION, critical=1, unit="failures", source="operations guide")
def redis_answers(outcome: Outcome[RedisFacts]) -> Reading:
    """A client that authenticates gets its PONG; redis-cli ping ends well without."""
    if outcome.facts is not None and outcome.facts.refusal:
        return Reading(1, f"Redis answers PING with an error: {outcome.facts.refusal}", action="look at its log")
    return outcome.reachable("Redis")


@check(
    "REDIS-LATENCY",
    section=SECTION,
    warning=0.05,
    critical=0.25,
    unit="s",
    source="Atom Ops default",
    trend="redis.latency",
)
def latency(seen: RedisFacts) -> Reading:
    """A slow PING means that some command blocks all the others, or a long way."""
    seconds = known(seen.latency)
    return Reading(seconds, f"PING took {span(seconds)}", action="SLOWLOG GET 10; LATENCY DOCTOR")


@check("REDIS-VERSION", section=SECTION, unit="s", source="information")
def version(seen: RedisFacts) -> Reading:
    """Which server answered, in which role, and since when it runs; of a cluster only this one node is judged."""
    info = known(seen.info)
    name = "Valkey" if "valkey_version" in info else "Redis"
    release = info.get("valkey_version", info.get("redis_version", "of an unknown version"))
    kinds = {"cluster": "one node of a cluster", "sentinel": "a Sentinel", "standalone": "standalone"}
    role = {"master": "primary", "slave": "replica"}.get(str(info.get("role", "")), "")
    uptime = number(seen, "uptime_in_seconds")
    told = ", ".join(part for part in (f"{name} {release}", kinds.get(mode(seen), mode(seen)), role) if part)
    return Reading(uptime, f"{told}, up for {span(uptime)}")


@check("REDIS-LOADING", section=SECTION, critical=1, unit="servers", source=_APA)
def loading(seen: RedisFacts) -> Reading:
    """A server that is still reading its data from disk refuses nearly every command."""
    if number(seen, "loading") or known(seen.info).get("async_loading") == 1:
        left = known(seen.info).get("loading_eta_seconds")
        wait = f", {span(float(left))} to go by its own estimate" if isinstance(left, int | float) else ""
        return Reading(1, f"the server is loading its data{wait}", action="wait; look at its log for why it restarted")
    return Reading(0, "the data is loaded")


@check("REDIS-REPLICATION", section=SECTION, critical=1, unit="failures", source=_APA)
def replication(seen: RedisFacts) -> Reading | Gap:
    """A replica that has lost its primary serves old data."""
    info = known(seen.info)
    if info.get("role") != "slave":
        replicas = plural(int(number(seen, "connected_slaves")), "replica")
        return Gap(SECTION, f"link to the primary: this is the primary, with {replicas}")
    primary = f"{info.get('master_host', '?')}:{info.get('master_port', '?')}"
    if info.get("master_link_status") == "up":
        return Reading(0, f"the link to the primary {primary} is up")
    down = info.get("master_link_down_since_seconds")
    since = f" for {span(float(down))}" if isinstance(down, int | float) and down >= 0 else ""
    return Reading(
        1, f"the link to the primary {primary} is down{since}", action="look at both logs, and at masterauth/masteruser"
    )


@check("REDIS-CLIENTS", section=SECTION, warning=80, critical=90, unit="%", source=_APA, trend="redis.clients")
def clients(seen: RedisFacts) -> Reading:
    """Beyond maxclients every new connection is turned away."""
    connected, limit = number(seen, "connected_clients"), number(seen, "maxclients")
    return Reading(
        100 * connected / limit,
        f"{connected:,.0f} of {limit:,.0f} clients are connected",
        action="CLIENT LIST, by idle time; CONFIG SET timeout 300, or raise maxclients",
    )


@check("REDIS-CLOCK-SKEW", section=SECTION, warning=60, critical=300, unit="s", source="NTP practice")
def clock(seen: RedisFacts) -> Reading:
    """Keys expire, and jobs are due, by the server's clock."""
    offset = known(seen.clock_offset)
    direction = "ahead of" if offset > 0 else "behind"
    told = "the same as ours" if abs(offset) < _SAME_CLOCK else f"{span(abs(offset))} {direction} ours"
    return Reading(abs(offset), f"Redis's clock is {told}", action="chronyc tracking, on both machines")
