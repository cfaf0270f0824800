"""The steps of a restart, each with the exact command or object: what a dry run prints. Pure."""

import shlex
from collections.abc import Iterator

from atomops.facts.restore import Step
from atomops.facts.runtime import Running
from atomops.humane import span
from atomops.inventory import Command, Docker, Kubernetes, Runtime, Systemd, Target


def steps(target: Target, before: Running, *, settle: float, undo: bool) -> tuple[Step, ...]:
    """What will be done, in order. `settle` in seconds."""
    return tuple(_steps(target, before, settle, undo=undo))


def _steps(target: Target, before: Running, settle: float, *, undo: bool) -> Iterator[Step]:
    yield Step(
        "look at what is to be compared", "the ends of the logs, their errors so far, the share of failed requests"
    )
    yield from _restart(target.runtime, before)
    if target.app is not None:
        yield Step("wait until it is ready", f"at most {span(target.changes.ready_within)}: {target.app.url}")
    yield Step("watch readiness, new errors and failed requests", f"for {span(settle)}")
    if undo:
        yield Step("when that fails: go back", _undo(target.runtime, before))


def _restart(runtime: Runtime | None, before: Running) -> Iterator[Step]:
    if not before.wanted:
        yield Step("nothing runs now", "a restart starts it")
    match runtime:
        case Command(restart=restart):
            yield Step("restart", shlex.join(restart))
        case Systemd(unit=unit, user=user):
            scope = " --user" if user else ""
            if any("unit files have changed" in note for note in before.notes):
                yield Step("let systemd read its files again", f"systemctl{scope} daemon-reload")
            yield Step("restart", f"systemctl{scope} restart {unit}")
        case Docker():
            for instance in before.instances:
                yield Step("restart, and wait until it is healthy", f"docker restart {instance.name}")
        case Kubernetes() as settings:
            kind = "deployment" if settings.deployment else "statefulset"
            name = settings.deployment or settings.statefulset
            yield Step("restart", f"kubectl --namespace {settings.namespace} rollout restart {kind}/{name}")
        case _:
            yield Step("restart", "nothing: the inventory names no runtime")


def _undo(runtime: Runtime | None, before: Running) -> str:
    if isinstance(runtime, Kubernetes):
        return f"to revision {before.revision or 'before'}, with {before.wanted} replicas"
    return "start what ran before and does not run; there is no earlier revision to go back to"
