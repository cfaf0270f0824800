"""What several files share and is dear to start.

The Kubernetes of a session is in this process, or a real control plane where the environment names its programs.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.kubernetes_api.cluster import Cluster, cluster_in_process
from tests.kubernetes_api.control_plane import control_plane, programs
from tests.kubernetes_api.place import Place
from tests.kubernetes_api.role import documented_rules
from tests.rounds import thoroughly
from tests.s3_servers import SERVERS, S3Server
from tests.store_places import Prefix


@pytest.fixture(scope="session")
def kubernetes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with ExitStack() as stack:
        folder, real = tmp_path_factory.mktemp("kubernetes"), programs()
        made = control_plane(real, folder) if real else cluster_in_process(folder)
        cluster = stack.enter_context(made)
        cluster.settings.rules = documented_rules()
        yield cluster


@pytest.fixture
def place(kubernetes: Cluster) -> Iterator[Place]:
    """A namespace of its own; on a real control plane, too."""
    place = Place(kubernetes, is_real=programs() is not None)
    yield place
    place.clear()


@pytest.fixture
def bent(tmp_path: Path) -> Iterator[Place]:
    """A cluster of its own, in this process, whose server and controllers a test may bend."""
    with ExitStack() as stack:
        cluster = stack.enter_context(cluster_in_process(tmp_path))
        cluster.settings.rules = documented_rules()
        yield Place(cluster, is_real=False)


@pytest.fixture(params=thoroughly([*SERVERS], short=["rclone"]))
def s3_place(request: pytest.FixtureRequest, s3: Callable[[str], S3Server]) -> Prefix:
    """A prefix of its own in a bucket of an S3 server; thoroughly, of each."""
    return Prefix(s3(request.param), request.node.name)
