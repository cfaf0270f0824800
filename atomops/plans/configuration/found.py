"""One object, file or container as it was found. It holds secrets: nothing of it may be shown but its names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from atomops.plans.configuration.cleaning import cleaned, notes_on, without_replicas
from atomops.plans.configuration.documents import as_yaml
from atomops.plans.configuration.fields import fields_of_file, fields_of_object
from atomops.plans.configuration.kinds import BY_NAME, full_name, place_of
from atomops.plans.configuration.references import images_of
from atomops.plans.configuration.secrecy import looks_secret, object_looks_secret

FILE, CONTAINER = "file", "container"
_WORKLOADS = frozenset({"Deployment", "StatefulSet"})
_SAFE = "-._~"  # of names; others, such as the colon of a Role, are percent-encoded


@dataclass(frozen=True)
class Found:
    """`place` is its file in a set before encryption; `fields` are its values one by one."""

    name: str
    kind: str
    place: str
    content: bytes = field(repr=False)
    fields: Mapping[str, str] = field(repr=False)
    is_secret: bool
    shown: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    mode: str = ""
    owner: str = ""
    link: str = ""


def found_object(kind: str, raw: Mapping[str, Any], *, is_scaled: bool = False, node_ports: bool = False) -> Found:
    """The object of the API, cleaned. One whose replicas an autoscaler sets is kept without a number of them."""
    document = cleaned(dict(raw), BY_NAME[kind].api_version, kind, node_ports=node_ports)
    name, notes, shown = document["metadata"]["name"], notes_on(dict(raw)), {}
    if kind in _WORKLOADS:
        path = "spec.template.spec.containers[{}].image"
        shown = {path.format(container): image for container, image in images_of(document).items()}
        replicas = document["spec"].get("replicas")
        if is_scaled:
            notes = (*notes, f"replicas are left to its autoscaler; there were {replicas}")
            document = without_replicas(document)
        else:
            shown["spec.replicas"] = str(replicas)
    place = f"kubernetes/{place_of(kind):02}-{kind.lower()}/{quote(name, safe=_SAFE)}.yaml"
    return Found(
        name=full_name(kind, name),
        kind=kind,
        place=place,
        content=as_yaml(document),
        fields=fields_of_object(document),
        is_secret=object_looks_secret(document),
        shown=shown,
        notes=notes,
    )


def found_file(  # noqa: PLR0913 - each is a plain property of the file
    path: str, content: bytes, *, mode: str, owner: str, link: str = "", is_environment: bool = False
) -> Found:
    """The file of the host. An environment file is secret, whatever its variables are called."""
    fields = fields_of_file(content)
    text = content.decode("utf-8", "surrogateescape")
    is_secret = is_environment or "content" not in fields or looks_secret(text)
    notes = (f"a symbolic link to {link}",) if link else ()
    place = "files/" + quote(path.lstrip("/"), safe=f"/{_SAFE}")
    return Found(path, FILE, place, content, fields, is_secret, notes=notes, mode=mode, owner=owner, link=link)


def found_container(name: str, description: Mapping[str, Any]) -> Found:
    """What Docker was told of a container. Its environment is secret."""
    document = dict(description)
    shown = {"image": str(document.get("image") or "")}
    place = f"docker/{quote(name, safe=_SAFE)}.yaml"
    fields = fields_of_object(document)
    return Found(full_name(CONTAINER, name), CONTAINER, place, as_yaml(document), fields, is_secret=True, shown=shown)
