"""What deployments/ ships, judged by those who will read it: Kubernetes, compose, hadolint, systemd, the commands."""

import datetime as dt
import itertools
import os
import shutil
import subprocess
from pathlib import Path
from uuid import uuid4

import kubernetes_validate
import pytest
import yaml
from prefect.cli import app as prefect
from prefect.server.events.schemas.automations import EventTrigger
from prefect.server.events.schemas.events import ReceivedEvent
from prefect.settings.models.root import Settings
from typer.testing import CliRunner

import atomops.cli.commands  # noqa: F401 - registers them
from atomops.cli.app import app as atomops_cli
from tests import servers
from tests.shipped import COMPOSE, DOCKERFILE, KUBERNETES, ROOT, SHIPPED, commands, compose, manifests, settings, units
from tests.waiting import PATIENCE

VERSIONS = ("1.31", "1.37")  # the oldest and the newest that we look at


def said(*argv: str | Path, **options: object) -> str:
    """What a command says, which must end well."""
    ended = subprocess.run(
        list(map(str, argv)), capture_output=True, text=True, check=False, timeout=PATIENCE, **options
    )  # type: ignore[call-overload]
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return str(ended.stdout + ended.stderr)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_is_valid_and_has_no_key_that_kubernetes_does_not_know(version: str) -> None:
    for each in manifests():
        kubernetes_validate.validate(each, version, strict=True)


def test_a_key_that_kubernetes_does_not_know_is_found() -> None:
    wrong = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}, "spec": {"prots": []}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


@pytest.mark.parametrize("folder", ["base", "with-database"])
def test_kustomize_builds_it_and_what_it_builds_is_valid(folder: str) -> None:
    kubectl = servers.required(servers.kubectl)
    built = list(yaml.safe_load_all(said(kubectl, "kustomize", KUBERNETES / folder)))
    for each in built:
        kubernetes_validate.validate(each, VERSIONS[-1], strict=True)
        assert each["kind"] == "Namespace" or each["metadata"]["namespace"] == "atomops"
    images = {
        c["image"]
        for each in built
        if "template" in each.get("spec", {})
        for c in each["spec"]["template"]["spec"]["containers"]
    }
    assert "atomops:0.1.0" in images
    assert not any(each["kind"] == "Secret" for each in built)  # or an upgrade would empty yours


def test_compose_reads_it(tmp_path: Path) -> None:
    program = servers.required(servers.docker_compose)
    shutil.copytree(SHIPPED, tmp_path / "deployments")
    home = tmp_path / "deployments" / "compose"
    (home / "secrets").mkdir()
    for secret in compose()["secrets"].values():
        (home / secret["file"]).write_text("x")
    (home / "inventory.toml").touch()
    read = yaml.safe_load(said(program, "--file", home / COMPOSE.name, "config", cwd=home))
    assert set(read["services"]) == set(compose()["services"])
    assert read["services"]["server"]["environment"]["PREFECT_SERVER_DATABASE_MIGRATE_ON_START"] == "false"
    assert read["services"]["worker"]["environment"]["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"] == "30"


def test_hadolint_has_nothing_to_say_of_the_dockerfile() -> None:
    assert said(servers.required(servers.hadolint), DOCKERFILE) == ""


def test_systemd_accepts_every_unit(tmp_path: Path) -> None:
    """Where the checkout is the one under test; every program in them exists, and no line is unknown."""
    servers.required(servers.systemd)
    for name, text in units().items():
        (tmp_path / name.replace("@", "@1")).write_text(text.replace("/opt/atomops", str(ROOT)))
    assert said("systemd-analyze", "verify", "--man=no", *tmp_path.iterdir()) == ""


def test_every_setting_is_one_that_prefect_knows_and_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = settings("server.env") | settings("worker.env")
    for name, value in shipped.items():
        monkeypatch.setenv(name, value)
    taken = Settings().to_environment_variables(exclude_unset=True)
    assert {name for name in shipped if name not in taken} == set()


def test_runs_logs_artifacts_and_events_are_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in settings("server.env").items():
        monkeypatch.setenv(name, value)
    server = Settings().server
    assert server.services.db_vacuum.enabled_vacuum_types == {"events", "flow_runs", "orphans"}
    assert server.services.db_vacuum.retention_period.days == 90
    assert server.events.retention_period.days == 14


@pytest.mark.parametrize("argv", sorted(commands()), ids=" ".join)
def test_every_command_in_it_exists_and_knows_its_options(
    argv: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    program, *words = argv
    named = list(itertools.takewhile(lambda word: not word.startswith("-"), words))
    shown = _help_of_atomops(named) if program == "atomops" else _help_of_prefect(named, monkeypatch, capsys)
    for option in (word for word in words if word.startswith("-")):
        assert option.partition("=")[0] in shown, (argv, option)


def _help_of_atomops(named: list[str]) -> str:
    answer = CliRunner().invoke(atomops_cli, [*named, "--help"])
    assert answer.exit_code == 0, answer.output
    return answer.output


def _help_of_prefect(named: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.setattr("sys.argv", ["prefect", *named, "--help"])
    with pytest.raises(SystemExit) as ended:
        prefect()
    shown = capsys.readouterr()
    assert ended.value.code in {None, 0}, shown.err
    return shown.out + shown.err


def test_the_entrypoint_turns_files_into_settings_and_refuses_an_empty_one(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text('sre:it\'s "quoted" $HOME\n')
    env = {
        "PATH": os.environ["PATH"],
        "PREFECT_API_AUTH_STRING_FILE": str(secret),
        "REDIS_URL_FILE": str(secret),
        "PREFECT_API_SSL_CERT_FILE": "/stays",
    }
    lines = said(SHIPPED / "entrypoint.sh", "env", env=env).splitlines()
    wanted = {"PREFECT_API_AUTH_STRING", "PREFECT_REDIS_MESSAGING_URL", "PREFECT_SERVER_DOCKET_URL"}
    for name in wanted | {"PREFECT_REDIS_WORKER_CLEANUP_QUEUE_URL"}:
        assert f'{name}=sre:it\'s "quoted" $HOME' in lines
    assert "PREFECT_API_SSL_CERT_FILE=/stays" in lines
    assert not any(line.startswith(("REDIS_URL_FILE", "PREFECT_API_AUTH_STRING_FILE")) for line in lines)

    secret.write_text("")
    refused = subprocess.run(
        [str(SHIPPED / "entrypoint.sh"), "env"], env=env, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 78
    assert "PREFECT_API_AUTH_STRING is missing or empty" in refused.stderr


@pytest.mark.parametrize(
    ("begun", "message", "tag", "again"),
    [
        ("1", "Lost: no heartbeat", "checklist", {"atomops-run-again"}),
        ("2", "Lost: no heartbeat", "checklist", set()),
        ("1", "Lost: no heartbeat", "change", set()),
        ("0", "Lost: a worker took it and did not begin", "backup", {"atomops-run-at-last"}),
        ("0", "Lost: a worker took it and did not begin", "change", set()),
        ("0", "Flow could not be retrieved", "checklist", set()),
    ],
)
def test_prefect_runs_again_what_was_lost_and_nothing_else(begun: str, message: str, tag: str, again: set[str]) -> None:
    now = dt.datetime.now(dt.UTC)
    resource = {
        "prefect.resource.id": "prefect.flow-run.x",
        "prefect.run-count": begun,
        "prefect.state-message": message,
    }
    related = [{"prefect.resource.id": f"prefect.tag.{tag}", "prefect.resource.role": "tag"}]
    crash = ReceivedEvent.model_validate(
        {"occurred": now, "event": "prefect.flow-run.Crashed", "id": uuid4(), "resource": resource, "related": related}
    )
    described = yaml.safe_load((SHIPPED / "lost-runs.yaml").read_text(encoding="utf-8"))["automations"]
    triggers = {each["name"]: EventTrigger.model_validate(each["trigger"]) for each in described}
    assert {
        name for name, trigger in triggers.items() if trigger.posture == "Reactive" and trigger.covers(crash)
    } == again
