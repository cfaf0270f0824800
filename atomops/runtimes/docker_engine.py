"""The Docker Engine, asked through its own client: blocking calls that bound their time and raise our errors."""

import contextlib
import datetime as dt
import os
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import docker
from docker.errors import APIError, DockerException
from docker.models.containers import Container

from atomops.errors import AccessDenied, AtomOpsError, NotThere, PermanentError, TemporaryError, TimedOut, Unreachable
from atomops.inventory.runtime import Docker

_ONE_OFF = "com.docker.compose.oneoff"  # `docker compose run`: it bears its service's label, and is none of it
_GRACE_SECONDS = 10  # that Docker gives a container to end, unless it is configured otherwise
_SHOWN = 200  # characters of what a health check says


@dataclass(frozen=True)
class State:
    """One moment of a container, in Docker's own words. `health` is "" without a health check."""

    id: str
    name: str
    word: str
    health: str
    said: str
    started_at: str
    exit_code: int
    out_of_memory: bool
    restarts: int
    image: str
    is_one_off: bool

    @property
    def is_running(self) -> bool:
        """It runs, or its restart policy is about to start it again."""
        return self.word in {"running", "restarting"}

    @property
    def is_ready(self) -> bool:
        """It runs and, with a health check, is healthy."""
        return self.word == "running" and self.health in {"", "healthy"}

    @property
    def shown(self) -> str:
        """Such as "running (healthy)"."""
        return f"{self.word} ({self.health})" if self.health else self.word

    @property
    def hopeless(self) -> str:
        """Why waiting does not help, or ""."""
        if self.word in {"exited", "dead"}:
            return f"has ended with exit code {self.exit_code}" + (", out of memory" if self.out_of_memory else "")
        return "is unhealthy" if self.word == "running" and self.health == "unhealthy" else ""


@dataclass(frozen=True)
class Engine:
    """A connection to the engine. Raises NotThere, AccessDenied, Unreachable, TimedOut, or what the engine refuses."""

    client: docker.DockerClient

    def states(self, label: str) -> list[State]:
        """Every container with exactly this label, whether it runs or not."""
        return [
            _state(each)
            for each in self.client.containers.list(all=True, filters={"label": label}, ignore_removed=True)
        ]

    def inspected(self, label: str) -> list[dict[str, Any]]:
        """All that Docker knows of every container with exactly this label, but for one-off ones."""
        every = self.client.containers.list(all=True, filters={"label": label}, ignore_removed=True)
        lasting = [each for each in every if (each.attrs["Config"]["Labels"] or {}).get(_ONE_OFF) != "True"]
        return [each.attrs for each in sorted(lasting, key=lambda each: str(each.name))]

    def state(self, name: str) -> State:
        """One container."""
        return _state(self.client.containers.get(name))

    def stop(self, name: str) -> None:
        """It has ended, killed when its time was over."""
        container = self.client.containers.get(name)
        container.stop(timeout=_grace(container))

    def start(self, name: str) -> None:
        """It was started."""
        self.client.containers.get(name).start()

    def restart(self, name: str) -> None:
        """It has ended, and was started again."""
        container = self.client.containers.get(name)
        container.restart(timeout=_grace(container))  # the client's own default ignores what is configured

    def logs(self, name: str, since: dt.datetime, lines: int) -> list[str]:
        """Its last lines since then, of both outputs, each with its time."""
        container = self.client.containers.get(name)
        told: bytes = container.logs(since=int(since.timestamp()), tail=lines, timestamps=True)
        return told.decode(errors="replace").splitlines()


@contextlib.contextmanager
def opened(settings: Docker) -> Iterator[Engine]:
    """The engine of `settings.host`, else of DOCKER_HOST; DOCKER_CERT_PATH has any certificates."""
    environment = {**os.environ, **({"DOCKER_HOST": settings.host} if settings.host else {})}
    where = environment.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    try:
        with contextlib.closing(docker.from_env(environment=environment, timeout=settings.timeout)) as client:
            yield Engine(client)
    except APIError as error:
        raise _refused(error) from error
    except (DockerException, OSError) as error:  # the errors of its HTTP client are OSErrors
        if isinstance(error, AtomOpsError):
            raise
        raise _unreachable(error, where) from error


def _refused(error: APIError) -> AtomOpsError:
    said = str(error.explanation or error)
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            return NotThere(f"Docker says: {said}", action="was it removed, or made anew under another name?")
        case HTTPStatus.FORBIDDEN | HTTPStatus.UNAUTHORIZED:
            return AccessDenied(f"Docker refuses us: {said}", action="let its authorization plugin allow this")
        case HTTPStatus.CONFLICT:
            return TemporaryError(f"Docker cannot do that now: {said}", action="somebody else is at this container")
        case status:
            return PermanentError(f"Docker answers {status}: {said}", action="look at the log of the Docker daemon")


def _unreachable(error: Exception, where: str) -> AtomOpsError:
    text = str(error)
    if "Permission denied" in text:
        action = "add this user to the group of the socket (docker), or name a host that it may use"
        return AccessDenied(f"this user may not talk to Docker at {where}", action=action)
    if "timed out" in text.lower():
        return TimedOut(f"Docker at {where} did not answer in time", action="is the daemon busy or hung?")
    return Unreachable(
        f"no Docker answers at {where}: {text}", action="set runtime.host or DOCKER_HOST; is it running?"
    )


def _state(container: Container) -> State:
    attributes: dict[str, Any] = container.attrs
    state, config = attributes["State"], attributes["Config"]
    health = state.get("Health") or {}
    word = health.get("Status", "")
    return State(
        id=str(attributes["Id"]),
        name=str(container.name),
        word=state["Status"],
        health="" if word == "none" else word,
        said=_last_words(health),
        started_at=state["StartedAt"],
        exit_code=state["ExitCode"],
        out_of_memory=bool(state["OOMKilled"]),
        restarts=attributes["RestartCount"],
        image=config["Image"],
        is_one_off=(config["Labels"] or {}).get(_ONE_OFF) == "True",
    )


def _last_words(health: dict[str, Any]) -> str:
    looks = health.get("Log") or []
    return str(looks[-1].get("Output", "")).strip()[:_SHOWN] if looks else ""


def _grace(container: Container) -> int:
    configured = container.attrs["Config"].get("StopTimeout")
    return _GRACE_SECONDS if configured is None else int(configured)
