"""The guide's Profile Agent Execution: on for a while, and off again by itself."""

import datetime as dt
from dataclasses import replace
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from atomops.change.profiling import endpoint_of, forget
from atomops.facts.profiling import ProfilingFacts
from atomops.inventory import Target
from atomops.parameters import AgentName, OnOff, ProfileMinutes, TargetName
from atomops.plans.profiling import steps
from atomops.probes.parts import PROFILING
from tasks.change import recorded
from tasks.judge import judge
from tasks.probe import outcome_of
from tasks.profile import Switched, enabled, finish_left, held_on, hold, off_scheduled, switch
from tasks.publish import final_state, publish
from tasks.target import load_target

PARTS = (PROFILING,)


@flow(name="profile-agent", flow_run_name="profile-agent-{target}-{action}")
async def profile_agent(
    target: TargetName = "production",
    *,
    agent: AgentName,
    action: OnOff = "on",
    minutes: ProfileMinutes = 15,
    dry_run: bool = False,
) -> State[Any]:
    """Switch the profiling of one agent on, hold it for some minutes, and switch it off: also when we are ended.

    After a kill whoever comes next does it: a run scheduled for that, `atomops resume`, or the next change.
    Runbook: docs/runbook/profile-agent.md

    Args:
        target: The installation, as the inventory calls it.
        agent: The agent's id.
        action: On for `minutes`, then off; or off now, whoever has switched it on.
        minutes: For how long it is on.
        dry_run: Only say which requests would be sent.
    """
    started_at = dt.datetime.now(dt.UTC)
    world = await load_target(target)
    work = _profile(world, agent, action, dt.timedelta(minutes=minutes), dry_run=dry_run)
    outcome = await outcome_of("the profiling", work)
    report = await judge("profile-agent", world, PARTS, [outcome], started_at)
    return final_state(await publish(report, world, [outcome]))


async def _profile(world: Target, agent: str, action: str, length: dt.timedelta, *, dry_run: bool) -> ProfilingFacts:
    asked = endpoint_of(world, agent)
    parameters = {"agent": agent, "action": action, "seconds": length.total_seconds()}
    async with recorded(world, "profile-agent", parameters, dry_run=dry_run) as it:
        now = dt.datetime.now(dt.UTC)
        facts = ProfilingFacts(now, dry_run, agent, steps(asked.request, action, length.total_seconds()))
        it.plan = tuple(f"{step.what}: {step.exactly}" for step in facts.steps)
        if dry_run:
            return facts
        facts = replace(facts, resumed=await finish_left(world))
        facts = await (_on(world, facts, now + length) if action == "on" else _off(world, facts))
        it.after["on"], it.after["off"] = facts.on, facts.off
        failed = any(answered is not None and answered.problem for answered in (facts.on, facts.off))
        it.result = "failed" if failed else it.result
    return facts


async def _on(world: Target, facts: ProfilingFacts, until: dt.datetime) -> ProfilingFacts:
    switched = Switched()
    async with off_scheduled(world, facts.agent, until) as safety, held_on(world, facts.agent, until, switched):
        await hold(world, facts.agent, until, switched)
    return replace(
        facts,
        until=dt.datetime.now(dt.UTC),
        on=switched.on,
        enabled_on=enabled(switched.on),
        off=switched.off,
        enabled_off=enabled(switched.off),
        early=switched.early,
        safety=safety,
    )


async def _off(world: Target, facts: ProfilingFacts) -> ProfilingFacts:
    answered = await switch(world, facts.agent, "off")
    if answered.problem is None:
        forget(world, facts.agent)
    return replace(facts, off=answered, enabled_off=enabled(answered))
