"""A Deployment or a StatefulSet, by the API server."""

from atomops.runtimes.kubernetes.runtime import KubernetesRuntime

__all__ = ["KubernetesRuntime"]
