"""Objects of a cluster: found by what refers to them, cleaned, encrypted, read again and compared."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from atomops.errors import Unreachable
from atomops.facts.backup import Result
from atomops.facts.configuration import Why
from atomops.facts.configuration_restore import Deed, Fate
from tests.configurations import Configured, Keys, new_keys, on_kubernetes
from tests.kubernetes_api.configured import PASSWORD, PULL, configure, in_base64
from tests.kubernetes_api.objects import deployment
from tests.kubernetes_api.place import Place
from tests.kubernetes_api.request import Request
from tests.kubernetes_api.role import configuration_rules, restoring_rules

pytestmark = pytest.mark.slow(10)
EVERYTHING = {
    "ServiceAccount/atom",
    "Role/atom",
    "RoleBinding/atom",
    "Secret/atom-secrets",
    "Secret/registry",
    "Secret/atom-tls",
    "ConfigMap/atom.config",
    "PersistentVolumeClaim/atom-data",
    "Service/atom",
    "Deployment/atom",
    "CronJob/cleanup",
    "HorizontalPodAutoscaler/atom-hpa",
    "PodDisruptionBudget/atom-pdb",
    "Ingress/atom",
}
SERVER_SIDE = ("managedFields", "uid", "resourceVersion", "creationTimestamp", "generation", "clusterIP", "nodePort")


@pytest.fixture
def keys() -> Keys:
    return new_keys()


def document(it: Configured, name: str) -> Any:  # noqa: ANN401 - any object
    return yaml.safe_load(it.contents()[name].content)


def test_everything_that_belongs_to_it_is_saved_cleaned_and_can_be_put_back_into_nothing(
    bent: Place, tmp_path: Path, keys: Keys
) -> None:
    configure(bent)
    settings = bent.cluster.settings
    settings.rules = configuration_rules()
    settings.requests.clear()
    it = on_kubernetes(bent, tmp_path, keys)

    saved = it.back_up()

    assert {each.allowed_by for each in settings.requests} == configuration_rules() - {("get", "apps", "statefulsets")}
    assert {each.name for each in saved.facts.taken} == EVERYTHING
    assert {each.why for each in saved.facts.not_taken} == {Why.BY_INTENTION}
    (stored,) = saved.facts.stored
    assert stored.proof is not None
    assert stored.proof.result is Result.READ
    everything = it.everything_stored()
    for secret in (PASSWORD, PULL, in_base64(PASSWORD), "episodes"):
        assert secret.encode() not in everything
    for name in EVERYTHING:
        text = it.contents()[name].content.decode()
        assert not [word for word in SERVER_SIDE if f"{word}:" in text], text
        assert "last-applied" not in text
    assert "replicas" not in document(it, "Deployment/atom")["spec"]
    assert document(it, "HorizontalPodAutoscaler/atom-hpa")["apiVersion"] == "autoscaling/v2"
    assert document(it, "ConfigMap/atom.config")["metadata"]["annotations"] == {"owner": "sre"}
    assert "secrets" not in document(it, "ServiceAccount/atom")
    assert "volumeName" not in document(it, "PersistentVolumeClaim/atom-data")["spec"]

    before = {name: document(it, name) for name in EVERYTHING}
    _delete_everything(bent)
    settings.rules = restoring_rules()
    settings.requests.clear()
    planned = it.restore(dry_run=True)
    assert {each.deed for each in planned.restorations} == {Deed.CREATE}
    assert not [each for each in settings.requests if each.verb == "patch" and each.query.get("dryRun") != "All"]
    done = it.restore()
    assert {each.fate for each in done.restorations} == {Fate.DONE}
    kinds = [each.name.split("/")[0] for each in done.restorations]
    assert kinds.index("ConfigMap") < kinds.index("Deployment") < kinds.index("Ingress")
    assert {each.deed for each in it.restore(dry_run=True).restorations} == {Deed.NOTHING}
    settings.rules = configuration_rules()
    it.back_up()
    assert {name: document(it, name) for name in EVERYTHING} == before


def _delete_everything(place: Place) -> None:
    settings, place.cluster.settings.rules = place.cluster.settings, None
    for group, plural, name in (
        ("apps", "deployments", "atom"),
        ("", "configmaps", "atom.config"),
        ("", "secrets", "atom-secrets"),
        ("", "secrets", "registry"),
        ("", "secrets", "atom-tls"),
        ("", "persistentvolumeclaims", "atom-data"),
        ("", "serviceaccounts", "atom"),
        ("", "services", "atom"),
        ("rbac.authorization.k8s.io", "roles", "atom"),
        ("rbac.authorization.k8s.io", "rolebindings", "atom"),
        ("networking.k8s.io", "ingresses", "atom"),
        ("autoscaling", "horizontalpodautoscalers", "atom-hpa"),
        ("policy", "poddisruptionbudgets", "atom-pdb"),
        ("batch", "cronjobs", "cleanup"),
    ):
        place.admin.delete(group, plural, name)
    assert settings.rules is None


def test_what_is_secret_is_refused_without_a_recipient_and_the_rest_is_kept(bent: Place, tmp_path: Path) -> None:
    configure(bent)
    bent.cluster.settings.rules = configuration_rules()
    it = on_kubernetes(bent, tmp_path, None)
    saved = it.back_up()
    refused = saved.facts.without(Why.REFUSED)
    assert {each.name for each in refused} == {"Secret/atom-secrets", "Secret/registry", "Secret/atom-tls"}
    assert "recipients" in refused[0].action
    assert {each.name for each in saved.facts.taken} == EVERYTHING - {each.name for each in refused}
    known = it.sets()[0].manifest.configuration
    assert known is not None
    assert not known.is_complete
    assert in_base64(PASSWORD).encode() not in it.everything_stored()
    assert b"workers: 4" in it.everything_stored()
    assert not it.sets()[0].is_proven


def test_a_kind_that_we_may_not_read_is_unknown_by_its_rule_and_the_rest_is_saved(
    bent: Place, tmp_path: Path, keys: Keys
) -> None:
    configure(bent)
    settings, it = bent.cluster.settings, on_kubernetes(bent, tmp_path, keys)
    settings.rules = configuration_rules()
    it.back_up()
    settings.rules = configuration_rules() - {("list", "networking.k8s.io", "ingresses"), ("get", "", "secrets")}
    saved = it.back_up()
    unknown = {each.name: each for each in saved.facts.without(Why.UNKNOWN)}
    assert set(unknown) == {"Ingress", "Secret/atom-secrets", "Secret/registry"}
    rule = '{apiGroups: ["networking.k8s.io"], resources: ["ingresses"], verbs: ["list"]}'
    assert rule in unknown["Ingress"].action
    assert len(saved.facts.taken) == len(EVERYTHING) - 4
    assert saved.facts.differences == ()  # what was not seen is not gone
    assert not it.sets()[0].manifest.configuration.is_complete  # type: ignore[union-attr]


def test_changes_are_named_without_secret_values(bent: Place, tmp_path: Path, keys: Keys) -> None:
    configure(bent, is_scaled=False)
    it = on_kubernetes(bent, tmp_path, keys)
    bent.cluster.settings.rules = configuration_rules()
    first = it.back_up()
    assert it.back_up().facts.differences == ()
    text = "workers: 8\nfeatures:\n  - episodes\npassword: hunter3\n"
    bent.admin.patch("", "configmaps", "atom.config", {"data": {"application.yaml": text, "LOG_LEVEL": None}})
    secrets = {"DB_PASSWORD": in_base64("another"), "NEW": in_base64("x")}
    bent.admin.patch("", "secrets", "atom-secrets", {"data": secrets})
    bent.image("atom:2")
    bent.admin.patch("apps", "deployments", "atom", {"spec": {"replicas": 5}})

    saved = it.back_up()

    found = saved.facts.differences
    assert isinstance(found, tuple)
    assert saved.facts.compared_with != first.facts.set_id
    told = {(each.item, each.field): (each.what, each.told) for each in found}
    image = "spec.template.spec.containers[web].image"
    assert told["Deployment/atom", "spec.replicas"] == ("changed", "2 → 5")
    assert told["Deployment/atom", image] == ("changed", "atom:1 → atom:2")
    assert [each.is_striking for each in found[:3]] == [True, True, False]
    assert told["Secret/atom-secrets", "data.DB_PASSWORD"] == ("changed", "")
    assert told["Secret/atom-secrets", "data.NEW"] == ("added", "")
    lines = told["ConfigMap/atom.config", "data[application.yaml]"][1].splitlines()
    assert lines == ["-workers: 4", "+workers: 8", "+password: ***"]
    assert told["ConfigMap/atom.config", "data.LOG_LEVEL"] == ("removed", "info → none")
    # without the key at hand the digests tell which fields, and no values
    (it.folder / "history" / "test" / "configuration.key").unlink()
    sealed = on_kubernetes(bent, tmp_path, keys, identity=None)
    unseen = sealed.back_up().facts.differences
    assert not isinstance(unseen, tuple)
    assert "no identity is at hand" in unseen.reason
    bent.image("atom:3")
    hidden = sealed.back_up().facts
    assert [(each.item, each.told) for each in hidden.differences] == [("Deployment/atom", "atom:2 → atom:3")]  # type: ignore[union-attr]
    assert hidden.stored[0].proof.result is Result.INTACT  # type: ignore[union-attr]
    assert it.back_up().facts.differences == ()  # one's own values do as well as its key


def test_what_is_gone_between_two_looks_is_missing_and_optional_things_may_be(
    bent: Place, tmp_path: Path, keys: Keys
) -> None:
    configure(bent)
    settings, it = bent.cluster.settings, on_kubernetes(bent, tmp_path, keys)
    settings.rules = configuration_rules()

    def before(request: Request) -> None:
        if (request.verb, request.resource.plural) == ("get", "roles"):
            settings.before = lambda _request: None
            bent.admin.delete("rbac.authorization.k8s.io", "roles", "atom")

    settings.before = before
    facts = it.back_up().facts
    (missing,) = facts.without(Why.MISSING)
    assert (missing.name, missing.reason) == ("Role/atom", "RoleBinding/atom names it, and it does not exist")
    left = {each.name for each in facts.without(Why.BY_INTENTION)}
    assert "ConfigMap/only-in-testing" in left


def test_a_server_that_goes_away_half_way_leaves_an_incomplete_set_and_one_that_is_away_none(
    bent: Place, tmp_path: Path, keys: Keys
) -> None:
    configure(bent)
    settings, it = bent.cluster.settings, on_kubernetes(bent, tmp_path, keys, deadline=1)
    settings.rules = configuration_rules()
    settings.after = lambda request: setattr(settings, "is_down", request.resource.plural == "services")
    facts = it.back_up().facts
    unknown = facts.without(Why.UNKNOWN)
    assert {"Deployment/atom", "Service/atom"} <= {each.name for each in facts.taken}
    assert "Secret/atom-secrets" in {each.name for each in unknown}
    assert "does not answer" in unknown[0].reason
    assert len(it.sets()) == 1
    with pytest.raises(Unreachable):
        it.back_up()
    assert len(it.sets()) == 1


def test_a_large_map_and_kinds_left_out_and_further_objects(bent: Place, tmp_path: Path, keys: Keys) -> None:
    bent.deploy(deployment(replicas=1), ready=0)
    large = {"metadata": {"name": "large", "labels": {"part": "atom"}}, "data": {"text": "line = 1\n" * 100_000}}
    bent.admin.create("", "configmaps", large)
    bent.cluster.settings.rules = None
    it = on_kubernetes(
        bent, tmp_path, keys, selector="part=atom", include=("ConfigMap/nobody",), leave_out=("Role", "RoleBinding")
    )
    facts = it.back_up().facts
    assert {each.name for each in facts.taken} == {"Deployment/atom", "ConfigMap/large"}
    assert document(it, "ConfigMap/large")["data"] == large["data"]
    assert {each.name for each in facts.without(Why.MISSING)} == {"ConfigMap/nobody"}
    bent.admin.patch("", "configmaps", "large", {"data": {"text": "line = 1\n" * 100_000 + "more\n"}})
    found = it.back_up().facts.differences
    assert [(each.field, each.told) for each in found] == [("data.text", "+more")]  # type: ignore[union-attr]
