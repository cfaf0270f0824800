"""The page about stores promises that its policy is enough: a server that enforces policies is asked."""

import datetime as dt
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import httpx
import pytest

from atomops.errors import AccessDenied
from atomops.inventory import BackupStore
from atomops.stores.choose import store_of
from atomops.stores.s3.bucket import PART
from atomops.stores.store import Store
from tests.backup_sets import manifest, prepared, proof
from tests.s3_servers import S3Server, moto_server

PAGE = (Path(__file__).parent.parent.parent / "docs" / "stores.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```(json|toml)\n(.*?)```", PAGE, re.DOTALL)
POLICY = json.loads(next(text for kind, text in EXAMPLES if kind == "json"))
BUCKET = "atom-backups"
SET = manifest()
OpenStore = Callable[..., Store]


@pytest.fixture
def server(server_folder: Path, request: pytest.FixtureRequest) -> Iterator[S3Server]:
    """Everybody may do everything until the test says so."""
    with moto_server(server_folder / request.node.name, env={"INITIAL_NO_AUTH_ACTION_COUNT": "1000000"}) as server:
        server.client().create_bucket(Bucket=BUCKET)
        yield server


def _as_somebody_with(server: S3Server, policy: object) -> OpenStore:
    """Stores of a user that has this policy and nothing else; from now on it is enforced."""
    iam = boto3.session.Session().client(
        "iam", endpoint_url=server.url, region_name="us-east-1", aws_access_key_id="root", aws_secret_access_key="root"
    )
    iam.create_user(UserName="atom-ops")
    iam.put_user_policy(UserName="atom-ops", PolicyName="stores", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName="atom-ops")["AccessKey"]
    httpx.post(f"{server.url}/moto-api/reset-auth", content=b"0", trust_env=False).raise_for_status()
    secrets = {"env:KEY": key["AccessKeyId"], "env:SECRET": key["SecretAccessKey"]}

    def opened(prefix: str = "nightly", target: str = "production") -> Store:
        asked = {"store": f"s3://{BUCKET}/{prefix}", "endpoint_url": server.url}
        asked |= {"access_key_id": "env:KEY", "secret_access_key": "env:SECRET"}
        return store_of(BackupStore.model_validate(asked, context={"read_secret": secrets.get}), target)

    return opened


def _without(*actions: str) -> object:
    statements = [
        {**statement, "Action": [action for action in statement["Action"] if action not in actions]}
        for statement in POLICY["Statement"]
    ]
    return {**POLICY, "Statement": statements}


def _large(folder: Path) -> Path:
    (folder / "data").mkdir(parents=True)
    (folder / "data/1.dat").write_bytes(bytes(2 * PART))
    return folder


def test_the_documented_policy_is_enough_for_everything_and_for_nothing_elsewhere(
    server: S3Server, tmp_path: Path
) -> None:
    opened = _as_somebody_with(server, POLICY)
    store = opened()

    store.publish(prepared(tmp_path / "made"), SET)
    store.publish(_large(tmp_path / "large"), manifest("atom-2", sizes={"data/1.dat": 2 * PART}))
    store.add_proof(SET.id, proof())
    assert {each.id for each in store.listing().sets} == {SET.id, "atom-2"}
    with store.open("atom-2", "data/1.dat") as stream:
        assert len(stream.read()) == 2 * PART
    assert store.remove(SET.id).retained == ""
    assert store.sweep(dt.timedelta(0)) == ()

    with pytest.raises(AccessDenied, match="s3:PutObject"):
        opened(prefix="elsewhere").publish(prepared(tmp_path / "again"), SET)


def test_without_the_right_to_delete_sets_are_published_and_retained(server: S3Server, tmp_path: Path) -> None:
    store = _as_somebody_with(server, _without("s3:DeleteObject"))()

    store.publish(prepared(tmp_path / "made"), SET)

    assert "s3:DeleteObject" in store.remove(SET.id).retained
    assert [each.id for each in store.listing().sets] == [SET.id]
    assert store.sweep(dt.timedelta(0)) == ()


@pytest.mark.parametrize("action", ["s3:ListBucket", "s3:PutObject", "s3:GetObject", "s3:ListBucketMultipartUploads"])
def test_a_right_that_is_missing_is_named(server: S3Server, tmp_path: Path, action: str) -> None:
    store = _as_somebody_with(server, _without(action))()

    def work() -> None:
        store.publish(prepared(tmp_path / "made"), SET)
        store.sweep(dt.timedelta(0))

    with pytest.raises(AccessDenied, match=action):
        work()


def test_every_example_of_the_page_can_be_read() -> None:
    assert len(EXAMPLES) == 4
    for kind, text in EXAMPLES:
        if kind == "toml":
            BackupStore.model_validate(tomllib.loads(text)["targets"]["production"]["backups"])
        else:
            assert json.loads(text)
