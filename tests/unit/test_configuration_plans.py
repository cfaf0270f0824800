"""What belongs to a configuration, what of an object is kept, and how its set is restored by hand."""

import base64
import datetime as dt
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from atomops.facts.backup import Manifest
from atomops.facts.configuration import Configuration, Item, NotTaken, Why
from atomops.plans.configuration.cleaning import cleaned, notes_on
from atomops.plans.configuration.documents import as_yaml, from_yaml
from atomops.plans.configuration.fields import fields_of_file, fields_of_object
from atomops.plans.configuration.found import found_container, found_file, found_object
from atomops.plans.configuration.kinds import BY_NAME, place_of
from atomops.plans.configuration.references import Reference, points_to, references_of, why_left_out
from atomops.plans.configuration.secret_values import secret_values
from atomops.plans.configuration.words import by_hand, instructions

TEXTS = st.text(max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def made(kind: str, name: str = "atom", **members: Any) -> dict[str, Any]:  # noqa: ANN401 - any member
    return {"apiVersion": BY_NAME[kind].api_version, "kind": kind, "metadata": {"name": name}, **members}


def workload(kind: str = "Deployment", name: str = "atom", **pod: Any) -> dict[str, Any]:  # noqa: ANN401 - any member
    template = {
        "metadata": {"labels": {"app": "atom"}},
        "spec": {"containers": [{"name": "web", "image": "atom:1"}], **pod},
    }
    return made(kind, name, spec={"replicas": 3, "template": template})


@given(st.dictionaries(TEXTS, JSON, max_size=4))
def test_every_object_is_read_from_its_yaml_as_the_same(document: dict[str, Any]) -> None:
    assert from_yaml(as_yaml(document)) == document


def test_what_other_readers_take_for_a_number_a_time_or_a_yes_is_quoted() -> None:
    data = {"a": "1e3", "b": "12:30:45", "on": "off", "c": "plain/value.1", "text": "one\n two\n", "d": ""}
    text = as_yaml({"data": data}).decode()
    for line in ('a: "1e3"', 'b: "12:30:45"', '"on": "off"', "c: plain/value.1", "text: |\n", 'd: ""'):
        assert line in text


def test_what_is_no_yaml_is_told_without_what_it_holds() -> None:
    with pytest.raises(ValueError, match="it is no YAML") as caught:
        from_yaml(b"password: [hunter2")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(ValueError, match="cannot be written"):
        as_yaml({"kind": "ConfigMap", "data": {1: float("nan")}})


def test_an_object_is_cleaned_of_what_the_server_and_its_controllers_have_added() -> None:
    found = workload()
    found["metadata"] |= {
        "namespace": "atom",
        "uid": "1",
        "annotations": {"deployment.kubernetes.io/revision": "3", "team": "sre"},
        "ownerReferences": [{"kind": "Application", "name": "argo"}],
    }
    found["status"] = {"replicas": 3}
    found["immutable"] = True
    found["spec"]["template"]["metadata"] |= {
        "creationTimestamp": None,
        "annotations": {"kubectl.kubernetes.io/restartedAt": "now"},
    }
    clean = cleaned(found, "apps/v1", "Deployment")
    assert clean["metadata"] == {"name": "atom", "namespace": "atom", "annotations": {"team": "sre"}}
    assert "status" not in clean
    assert clean["spec"]["template"]["metadata"] == {"labels": {"app": "atom"}}
    assert found["status"] == {"replicas": 3}
    assert [note.split(",")[0].split(":")[0] for note in notes_on(found)] == ["made by Application argo", "immutable"]


def test_annotations_of_one_s_own_on_a_template_stay_and_claims_of_a_template_lose_their_status() -> None:
    found = workload("StatefulSet")
    found["spec"]["template"]["metadata"]["annotations"] = {"scrape": "true"}
    found["spec"]["volumeClaimTemplates"] = [{"metadata": {"name": "data"}, "status": {"phase": "Pending"}}]
    clean = cleaned(found, "apps/v1", "StatefulSet")
    assert clean["spec"]["template"]["metadata"]["annotations"] == {"scrape": "true"}
    assert clean["spec"]["volumeClaimTemplates"] == [{"metadata": {"name": "data"}}]


def test_a_service_keeps_no_address_but_that_it_is_headless_and_node_ports_only_when_asked() -> None:
    spec = {
        "clusterIP": "10.0.0.1",
        "clusterIPs": ["10.0.0.1"],
        "healthCheckNodePort": 3,
        "ports": [{"port": 80, "nodePort": 30080}],
    }
    service = made("Service", spec=spec)
    assert cleaned(service, "v1", "Service")["spec"] == {"ports": [{"port": 80}]}
    assert cleaned(service, "v1", "Service", node_ports=True)["spec"]["ports"] == spec["ports"]
    headless = made("Service", spec={"clusterIP": "None", "clusterIPs": ["None"]})
    assert cleaned(headless, "v1", "Service")["spec"] == headless["spec"]
    claim = made("PersistentVolumeClaim", spec={"volumeName": "pv-1"})
    assert cleaned(claim, "v1", "PersistentVolumeClaim")["spec"] == {}
    account = made("ServiceAccount", secrets=[{"name": "token"}])
    assert "secrets" not in cleaned(account, "v1", "ServiceAccount")


def test_every_way_in_which_a_pod_names_something_is_followed_once() -> None:
    container = {
        "name": "web",
        "image": "atom:1",
        "envFrom": [{"configMapRef": {"name": "a", "optional": True}}, {"secretRef": {"name": "b"}}],
        "env": [
            {"name": "X", "valueFrom": {"configMapKeyRef": {"name": "a", "key": "x"}}},
            {"name": "Y", "valueFrom": {"secretKeyRef": {"name": "c", "key": "y", "optional": True}}},
            {"name": "Z", "value": "z"},
        ],
    }
    volumes = [
        {"name": "1", "configMap": {"name": "d"}},
        {"name": "2", "secret": {"secretName": "e"}},
        {"name": "3", "persistentVolumeClaim": {"claimName": "f"}},
        {"name": "4", "projected": {"sources": [{"configMap": {"name": "g"}}, {"secret": {"name": "b"}}]}},
        {"name": "5", "emptyDir": {}},
    ]
    pod: dict[str, Any] = {
        "containers": [container],
        "initContainers": [container],
        "volumes": volumes,
        "imagePullSecrets": [{"name": "h"}],
    }
    found = references_of(workload(**pod, serviceAccountName="i"))
    assert {(each.kind, each.name, each.is_optional) for each in found} == {
        ("ServiceAccount", "i", False),
        ("Secret", "h", False),
        ("ConfigMap", "a", False),
        ("Secret", "b", False),
        ("Secret", "c", True),
        ("ConfigMap", "d", False),
        ("Secret", "e", False),
        ("PersistentVolumeClaim", "f", False),
        ("ConfigMap", "g", False),
    }
    assert len(found) == 9


def test_other_kinds_name_something_too() -> None:
    account = made("ServiceAccount", imagePullSecrets=[{"name": "pull"}])
    ingress = made("Ingress", spec={"tls": [{"secretName": "tls"}, {"hosts": ["a"]}]})
    binding = made("RoleBinding", roleRef={"kind": "Role", "name": "reader"})
    cluster = made("RoleBinding", roleRef={"kind": "ClusterRole", "name": "view"})
    assert references_of(account) == (Reference("Secret", "pull", "ServiceAccount/atom"),)
    assert references_of(ingress) == (Reference("Secret", "tls", "Ingress/atom"),)
    assert references_of(binding) == (Reference("Role", "reader", "RoleBinding/atom"),)
    assert references_of(cluster) == references_of(made("ConfigMap")) == ()


def test_what_points_to_a_workload_belongs_to_it_and_what_points_elsewhere_does_not() -> None:
    main, taken = workload(), frozenset({"Service/atom", "ServiceAccount/atom", "Secret/atom"})
    job = {"containers": [{"name": "job", "image": "other:1"}]}

    def cron(**pod: Any) -> dict[str, Any]:  # noqa: ANN401 - any member
        return made("CronJob", spec={"jobTemplate": {"spec": {"template": {"spec": {**job, **pod}}}}})

    backend = {"service": {"name": "atom"}}
    paths = {"http": {"paths": [{"backend": backend}, {"backend": {"resource": {}}}]}}
    target = {"kind": "Deployment", "name": "atom"}
    belong = [
        made("Service", spec={"selector": {"app": "atom"}}),
        made("PodDisruptionBudget", spec={"selector": {"matchLabels": {"app": "atom"}}}),
        made("HorizontalPodAutoscaler", spec={"scaleTargetRef": target}),
        made("Ingress", spec={"rules": [{"host": "a"}, paths]}),
        made("Ingress", spec={"defaultBackend": backend}),
        made("RoleBinding", subjects=[{"kind": "ServiceAccount", "name": "atom"}]),
        cron(containers=[{"name": "job", "image": "atom:1"}]),
        cron(imagePullSecrets=[{"name": "atom"}]),
    ]
    others = [
        made("Service", spec={"selector": {"app": "redis"}}),
        made("Service", spec={"externalName": "example.com"}),
        made("HorizontalPodAutoscaler", spec={"scaleTargetRef": {**target, "name": "redis"}}),
        made("Ingress", spec={}),
        made("RoleBinding"),
        made("ConfigMap"),
        cron(),
    ]
    assert all(points_to(each, main, taken) for each in belong)
    assert not any(points_to(each, main, taken) for each in others)


def test_what_the_cluster_makes_by_itself_is_left_out_with_a_reason() -> None:
    left = [
        made("Secret", type="kubernetes.io/service-account-token"),
        made("Secret", type="helm.sh/release.v1"),
        made("ConfigMap", "kube-root-ca.crt"),
        made("ServiceAccount", "default"),
    ]
    kept = [made("Secret"), made("ConfigMap"), made("ServiceAccount", "default", imagePullSecrets=[{"name": "a"}])]
    assert all(why_left_out(each) for each in left)
    assert not any(why_left_out(each) for each in (*kept, made("Service")))


def test_a_scaled_workload_has_no_number_of_replicas_and_one_that_is_not_shows_its_own() -> None:
    scaled = found_object("Deployment", workload(), is_scaled=True)
    assert "replicas" not in yaml.safe_load(scaled.content)["spec"]
    assert scaled.notes == ("replicas are left to its autoscaler; there were 3",)
    assert found_object("Deployment", workload()).shown == {
        "spec.template.spec.containers[web].image": "atom:1",
        "spec.replicas": "3",
    }
    role = found_object("Role", made("Role", "system:reader", rules=[]))
    assert (role.place, role.is_secret) == ("kubernetes/01-role/system%3Areader.yaml", False)


def test_files_are_told_apart_by_what_is_in_them() -> None:
    environment = b"# of atom\nexport A=1\n\nB = two words\n"
    assert fields_of_file(environment) == {"A": "1", "B": "two words"}
    assert fields_of_file(b"workers: 4\n") == {"content": "workers: 4\n"}
    assert fields_of_file(b"") == {"content": ""}
    assert found_file("/etc/atom.env", environment, mode="0600", owner="a:a").is_secret
    assert not found_file("/etc/a.yml", b"workers: 4\n", mode="0600", owner="a:a").is_secret
    linked = found_file("/etc/a b", b"\xff\x00", mode="0600", owner="a:a", link="b", is_environment=True)
    assert (linked.place, linked.is_secret, linked.notes) == ("files/etc/a%20b", True, ("a symbolic link to b",))
    container = found_container("atom-1", {"image": "atom:1", "environment": {"A": "b"}})
    assert (container.name, container.is_secret, container.shown) == ("container/atom-1", True, {"image": "atom:1"})


def test_the_fields_of_an_object_are_paths_to_values() -> None:
    document = made("ConfigMap", data={"a.b": "x", "c": ""}, list=[1, {"name": "n", "v": True}], empty={})
    assert fields_of_object(document) == {
        "data[a.b]": "x",
        "data.c": "",
        "list[0]": "1",
        "list[n].name": "n",
        "list[n].v": "true",
        "empty": "{}",
    }


def test_the_values_of_a_secret_are_known_so_that_they_can_be_hidden() -> None:
    data = {"a": base64.b64encode(b"hunter2").decode(), "b": base64.b64encode(b"\xff").decode(), "c": "no base64"}
    found = list(secret_values(made("Secret", data=data, stringData={"d": "plain"})))
    assert {"hunter2", data["b"], "no base64", "plain"} <= set(found)
    assert list(secret_values(made("ConfigMap", data={"a": "x"}))) == []


def test_a_set_says_how_it_is_restored_by_hand_and_what_is_not_in_it() -> None:
    items = (
        Item("Secret/a", "Secret", "kubernetes/03-secret/a.yaml.age", is_secret=True, digests={}),
        Item("/etc/a.env", "file", "files/etc/a.env.age", is_secret=True, digests={}, mode="0640"),
        Item("container/a", "container", "docker/a.yaml.age", is_secret=True, digests={}),
        Item("ConfigMap/a", "ConfigMap", "kubernetes/04-configmap/a.yaml", is_secret=False, digests={}),
        Item("/etc/a b", "file", "files/etc/a%20b", is_secret=False, digests={}, mode="0644"),
        Item("container/b", "container", "docker/b.yaml", is_secret=True, digests={}),
    )
    known = Configuration("deployment a/a", items, (NotTaken("Ingress", Why.UNKNOWN, "we may not"),))
    at = dt.datetime(2026, 11, 25, 3, tzinfo=dt.UTC)
    manifest = Manifest("id", "test", "configuration", at, (), encrypted_for=("age1x",), configuration=known)
    assert by_hand(manifest) == [
        "age -d -i key.txt ./kubernetes/03-secret/a.yaml.age | kubectl apply -f -",
        "age -d -i key.txt ./files/etc/a.env.age | install -m 0640 /dev/stdin /etc/a.env",
        "age -d -i key.txt ./docker/a.yaml.age   # container/a: to be read, not applied",
        "kubectl apply -f ./kubernetes/04-configmap/a.yaml",
        "install -m 0644 /dev/stdin '/etc/a b' < ./files/etc/a%20b",
    ]
    text = instructions(manifest)
    assert "Ingress: unknown: we may not" in text
    assert "age1x" in text
    assert "nobody" in instructions(Manifest("id", "test", "configuration", at, ()))
    assert (known.is_complete, manifest.kind) == (False, "configuration")
    assert [each.name for each in known.without(Why.UNKNOWN)] == ["Ingress"]


def test_files_come_before_every_object() -> None:
    assert place_of("file") < place_of("ServiceAccount") < place_of("Ingress")
