"""Objects of a cluster put back: what is told first, what stays, what is refused, and what nobody reached."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from atomops.backup.fetching import Damaged
from atomops.errors import NotThere, PermanentError
from atomops.facts.configuration_restore import Deed, Fate
from tests.configurations import Keys, new_keys, on_kubernetes
from tests.kubernetes_api.configured import PASSWORD, configure, in_base64
from tests.kubernetes_api.objects import deployment
from tests.kubernetes_api.place import Place
from tests.kubernetes_api.request import Request
from tests.kubernetes_api.role import configuration_rules, restoring_rules
from tests.kubernetes_api.store import Refused

pytestmark = pytest.mark.slow(6)


@pytest.fixture
def keys() -> Keys:
    return new_keys()


def test_a_restore_tells_conflicts_stays_and_refusals_object_by_object_and_never_deletes(
    bent: Place, tmp_path: Path, keys: Keys
) -> None:
    configure(bent)
    settings, it = bent.cluster.settings, on_kubernetes(bent, tmp_path, keys)
    settings.rules = configuration_rules()
    it.back_up()
    bent.admin.patch("", "configmaps", "atom.config", {"data": {"LOG_LEVEL": "debug", "LATER": "1"}}, manager="kubectl")
    bent.admin.patch("", "secrets", "atom-secrets", {"data": {"DB_PASSWORD": in_base64("changed")}})
    settings.rules = restoring_rules()

    planned = {each.name: each for each in it.restore(dry_run=True).restorations}
    config = planned["ConfigMap/atom.config"]
    assert [(each.field, each.told) for each in config.differences] == [("data.LOG_LEVEL", "debug → info")]
    assert config.stays == ("data.LATER",)
    assert 'conflict with "kubectl" using v1: .data.LOG_LEVEL' in config.conflicts
    assert [each.told for each in planned["Secret/atom-secrets"].differences] == [""]
    assert bent.admin.get("", "configmaps", "atom.config")["data"]["LOG_LEVEL"] == "debug"

    refused = it.restore("ConfigMap/atom.config").restorations[0]
    assert (refused.fate, "take_over" in refused.action) == (Fate.FAILED, True)
    done = it.restore(take_over=True)
    assert {each.name for each in done.of(Fate.DONE)} == {"ConfigMap/atom.config", "Secret/atom-secrets"}
    data = bent.admin.get("", "configmaps", "atom.config")["data"]
    assert (data["LOG_LEVEL"], data["LATER"]) == ("info", "1")
    assert bent.admin.get("", "secrets", "atom-secrets")["data"]["DB_PASSWORD"] == in_base64(PASSWORD)
    with pytest.raises(NotThere, match=r"has no ConfigMap/atom-config: did you mean ConfigMap/atom\.config"):
        it.restore("ConfigMap/atom-config")


def test_a_refused_object_stops_no_other_and_a_server_that_goes_away_stops_the_rest(
    bent: Place, tmp_path: Path, keys: Keys
) -> None:
    configure(bent)
    settings, it = bent.cluster.settings, on_kubernetes(bent, tmp_path, keys, deadline=1)
    settings.rules = configuration_rules()
    it.back_up()
    bent.admin.delete("", "persistentvolumeclaims", "atom-data")
    other = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}}
    bent.admin.create("", "persistentvolumeclaims", {"metadata": {"name": "atom-data"}, "spec": other})
    bent.admin.delete("", "services", "atom")
    bent.admin.delete("", "secrets", "atom-secrets")
    settings.rules = restoring_rules() - {("create", "", "services")}

    def quoting(request: Request) -> None:
        if request.verb == "patch" and request.name == "atom-secrets" and request.query.get("dryRun") != "All":
            raise Refused(422, "Invalid", f'Secret is invalid: data: "{in_base64(PASSWORD)}" is {PASSWORD}')

    settings.before = quoting
    done = {each.name: each for each in it.restore(take_over=True).restorations}
    claim = done["PersistentVolumeClaim/atom-data"]
    assert (claim.fate, "spec is immutable" in claim.reason) == (Fate.FAILED, True)
    assert "by hand" in claim.action
    service = done["Service/atom"]
    assert 'resources: ["services"], verbs: ["create"]' in service.action
    secret = done["Secret/atom-secrets"]
    assert secret.fate is Fate.FAILED
    assert PASSWORD not in secret.reason
    assert in_base64(PASSWORD) not in secret.reason

    for name in ("atom.config",):
        bent.admin.delete("", "configmaps", name)
    bent.admin.delete("networking.k8s.io", "ingresses", "atom")
    settings.rules, settings.before = restoring_rules(), lambda _request: None
    settings.after = _down_after(bent, "ConfigMap")
    fates = {each.name: each.fate for each in it.restore(take_over=True).restorations if each.deed is Deed.CREATE}
    assert fates == {
        "Secret/atom-secrets": Fate.DONE,
        "ConfigMap/atom.config": Fate.DONE,
        "Service/atom": Fate.FAILED,
        "Ingress/atom": Fate.NOT_REACHED,
    }


def _down_after(place: Place, kind: str) -> Callable[[Request], None]:
    def after(request: Request) -> None:
        is_real = request.verb == "patch" and request.query.get("dryRun") != "All"
        if is_real and request.body["kind"] == kind:
            place.cluster.settings.is_down = True

    return after


def test_a_set_is_not_read_with_another_key_nor_when_a_byte_has_changed(
    bent: Place, tmp_path: Path, keys: Keys
) -> None:
    bent.deploy(deployment(replicas=1), ready=0)
    bent.cluster.settings.rules = None
    it = on_kubernetes(bent, tmp_path, keys)
    it.back_up()
    stranger = on_kubernetes(bent, tmp_path, Keys(keys.public, new_keys().private))
    with pytest.raises(PermanentError, match="none of the recipients"):
        stranger.restore(dry_run=True)
    (path,) = (tmp_path / "store").rglob("07-deployment/atom.yaml.age")
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(Damaged, match="is not as it was written"):
        it.restore(dry_run=True)
    assert json.loads((path.parents[2] / "manifest.json").read_text())["database"] == "configuration"
