"""A process of its own that stops or starts an application, to be killed: `... stop|start KUBECONFIG NAMESPACE`."""

import asyncio
import sys
from pathlib import Path

from atomops.inventory import Kubernetes
from atomops.runtimes.kubernetes import KubernetesRuntime


async def main(what: str, kubeconfig: str, namespace: str) -> None:
    settings = Kubernetes(kind="kubernetes", deployment="atom", namespace=namespace, kubeconfig=Path(kubeconfig))
    runtime = KubernetesRuntime(settings)
    before = await runtime.describe()
    await (runtime.stop(before) if what == "stop" else runtime.start(before))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
