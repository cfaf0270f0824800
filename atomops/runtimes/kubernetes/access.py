"""How the API server is reached: by a kubeconfig and a context, or as the pod that we run in."""

import os
from pathlib import Path
from typing import Any

import yaml
from kubernetes.client import ApiClient, Configuration
from kubernetes.config import ConfigException, load_incluster_config
from kubernetes.config.kube_config import KubeConfigLoader, KubeConfigMerger

from atomops.errors import AccessDenied, AtomOpsError, InventoryError, NotThere
from atomops.inventory import Kubernetes

_VARIABLE, _DEFAULT = "KUBECONFIG", "~/.kube/config"
_IN_CLUSTER = "KUBERNETES_SERVICE_HOST"


def open_client(settings: Kubernetes) -> ApiClient:
    """A client with fresh credentials; nothing is asked yet. May run the kubeconfig's exec plugin, and so block.

    Raises NotThere for a kubeconfig or context that is missing, InventoryError for one that cannot be read, and
    AccessDenied when the kubeconfig's exec plugin gives no credentials.
    """
    configuration = Configuration()
    configuration.retries = False  # urllib3's word for none: whether to try again is ours to say
    files = _files(settings)
    if files:
        _load(configuration, files, settings.context)
    else:
        _load_own_account(configuration)
    return ApiClient(configuration)


def _files(settings: Kubernetes) -> str:
    """Paths with colons between, as KUBECONFIG has them; "" when the pod's own account is meant."""
    if settings.kubeconfig is not None:
        if not settings.kubeconfig.expanduser().exists():
            raise NotThere(f"kubeconfig {settings.kubeconfig} does not exist", action="set runtime.kubeconfig")
        return str(settings.kubeconfig)
    named = os.environ.get(_VARIABLE) or _DEFAULT
    there = [each for each in named.split(os.pathsep) if each and Path(each).expanduser().exists()]
    if there:
        return os.pathsep.join(there)
    if settings.context is None and os.environ.get(_IN_CLUSTER):
        return ""
    raise NotThere(
        f"there is no kubeconfig ({named}), and this is no pod of a cluster" if settings.context is None
        else f"there is no kubeconfig ({named}) to have the context {settings.context}",
        action=f"set runtime.kubeconfig, or the variable {_VARIABLE}",
    )  # fmt: skip


def _load(configuration: Configuration, files: str, context: str | None) -> None:
    try:
        config = KubeConfigMerger(files).config  # type: ignore[no-untyped-call]
        if config is None:
            raise InventoryError(f"kubeconfig {files} is empty", action="check runtime.kubeconfig")
        chosen = _chosen(config.value, files, context)
        loader = KubeConfigLoader(config, chosen, config_base_path=None)  # type: ignore[no-untyped-call]
        loader.load_and_set(configuration)  # type: ignore[no-untyped-call]
    except AtomOpsError:
        raise
    except PermissionError as error:
        raise AccessDenied(f"kubeconfig {files} may not be read: {error.strerror}", action="chmod, or chown") from error
    except yaml.YAMLError as error:
        raise InventoryError(f"kubeconfig {files} is no YAML", action="check runtime.kubeconfig") from error
    except (ConfigException, OSError, LookupError, TypeError, ValueError) as error:
        raise InventoryError(f"kubeconfig {files} cannot be used: {error}", action="kubectl config view") from error
    _expect_credentials(configuration, loader.current_context, config.value)


def _chosen(config: dict[str, Any], files: str, context: str | None) -> str:
    names = [str(each["name"]) for each in config.get("contexts") or ()]
    chosen = context or config.get("current-context")
    if not chosen:
        raise NotThere(f"kubeconfig {files} has no current context", action=f"set runtime.context: {_listed(names)}")
    if chosen not in names:
        raise NotThere(
            f"kubeconfig {files} has no context {chosen}", action=f"runtime.context is one of {_listed(names)}"
        )
    return str(chosen)


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "(it has none)"


def _expect_credentials(configuration: Configuration, context: dict[str, Any], config: dict[str, Any]) -> None:
    """The client logs an exec plugin that fails, and goes on without a name: as nobody, who is refused everything."""
    name = context["context"].get("user")
    users = [each.value for each in config.get("users") or () if each["name"] == name]
    plugin = (users[0].get("user") or {}).get("exec") if users else None
    if plugin and not configuration.api_key and not configuration.cert_file:
        raise AccessDenied(
            f"{plugin.get('command')}, which the kubeconfig's user {name} names, gives no credentials",
            action="run it by hand; log in again",
        )


def _load_own_account(configuration: Configuration) -> None:
    try:
        load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    except (ConfigException, OSError) as error:
        raise NotThere(
            f"this pod has no account of its own to use: {error}",
            action="automountServiceAccountToken, or runtime.kubeconfig",
        ) from error
