"""What deployments/ ships, read for tests: settings, manifests, units, and every command line in them."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
SHIPPED = ROOT / "deployments"
COMPOSE = SHIPPED / "compose" / "compose.yaml"
KUBERNETES = SHIPPED / "kubernetes"
SYSTEMD = SHIPPED / "systemd"
DOCKERFILE = SHIPPED / "Dockerfile"
PROGRAMS = ("prefect", "atomops")
PAGES = (ROOT / "docs" / "scale-out.md", ROOT / "docs" / "hardening.md")


def settings(name: str) -> dict[str, str]:
    """The lines of an environment file, as systemd and compose read them."""
    lines = (SHIPPED / name).read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def compose() -> Any:  # noqa: ANN401 - YAML's own types
    return yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))


def manifests() -> list[Any]:
    """Every object of deployments/kubernetes, kustomizations left out."""
    files = sorted(KUBERNETES.rglob("*.yaml"))
    every = [each for file in files for each in yaml.safe_load_all(file.read_text(encoding="utf-8"))]
    return [each for each in every if each["kind"] != "Kustomization"]


def pods() -> dict[str, Any]:
    """The pod template of every workload, by its name."""
    return {
        each["metadata"]["name"]: each["spec"]["template"] for each in manifests() if "template" in each.get("spec", {})
    }


def containers() -> list[Any]:
    """Every container of every pod, those that prepare it included."""
    specs = [pod["spec"] for pod in pods().values()]
    return [each for spec in specs for each in [*spec.get("initContainers", ()), *spec["containers"]]]


def manifest(kind: str, name: str) -> Any:  # noqa: ANN401 - YAML's own types
    (found,) = [each for each in manifests() if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found


def units() -> dict[str, str]:
    return {file.name: file.read_text(encoding="utf-8") for file in sorted(SYSTEMD.glob("*.service"))}


def dockerfile() -> list[tuple[str, str]]:
    """Its instructions and what follows them, continued lines joined."""
    text = re.sub(r"(?m)^\s*#.*\n", "", DOCKERFILE.read_text(encoding="utf-8")).replace("\\\n", " ")
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in text.splitlines() if line.strip()]


def commands() -> set[tuple[str, ...]]:
    """Every `prefect ...` and `atomops ...` of containers, pods, units and pages, the program without its path."""
    return {_without_path(argv) for argv in _every() if argv and Path(argv[0]).name in PROGRAMS}


def _without_path(argv: tuple[str, ...]) -> tuple[str, ...]:
    return Path(argv[0]).name, *argv[1:]


def _every() -> Iterator[tuple[str, ...]]:
    for service in compose()["services"].values():
        yield tuple(service.get("command", ()))
    for container in containers():
        yield tuple(container.get("args", ()))
    for instruction, rest in dockerfile():
        if instruction == "CMD":
            yield tuple(yaml.safe_load(rest))
    yield from _of_units()
    yield from _of_pages()


def _of_units() -> Iterator[tuple[str, ...]]:
    for text in units().values():
        for line in re.findall(r"(?m)^Exec\w+=(.*)$", text):
            argv = tuple(shlex.split(line))
            yield argv[1:] if argv[0].endswith("entrypoint.sh") else argv


def _of_pages() -> Iterator[tuple[str, ...]]:
    for page in [*SHIPPED.rglob("*.md"), *PAGES]:
        for block in re.findall(r"(?s)```(?:bash|console)\n(.*?)```", page.read_text(encoding="utf-8")):
            for line in block.splitlines():
                yield tuple(shlex.split(line.removeprefix("$ "), comments=True))
