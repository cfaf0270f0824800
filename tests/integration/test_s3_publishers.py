"""One set for an id, whoever publishes it, in whatever moment: by the conditions of a bucket's server, or without."""

import threading
from pathlib import Path

import pytest

from atomops.errors import AtomOpsError, PermanentError, TemporaryError
from atomops.facts.backup import MANIFEST
from atomops.stores.s3.bucket import Bucket
from tests.backup_sets import FILES, manifest, prepared
from tests.rounds import thoroughly
from tests.s3_proxy import Fault, Request, proxy
from tests.s3_servers import SERVERS
from tests.store_places import Prefix

pytestmark = pytest.mark.slow(15)

SET = manifest()
# rclone overwrites, whatever the condition says
CONDITIONAL = thoroughly([name for name in SERVERS if name != "rclone"], short=["moto"])


@pytest.mark.parametrize("s3_place", CONDITIONAL, indirect=True)
def test_of_two_publishers_of_one_id_one_wins_and_its_files_are_whole(s3_place: Prefix, tmp_path: Path) -> None:
    together = threading.Barrier(2)
    outcomes: dict[str, AtomOpsError | None] = {}

    def publish(name: str) -> None:
        folder = prepared(tmp_path / name)
        (folder / "roles.sql").write_bytes(name.encode().ljust(len(FILES["roles.sql"])))
        store = s3_place.by()
        together.wait()
        try:
            store.publish(folder, SET)
            outcomes[name] = None
        except AtomOpsError as error:
            outcomes[name] = error

    runs = [threading.Thread(target=publish, args=(name,)) for name in ("first", "second")]
    for run in runs:
        run.start()
    for run in runs:
        run.join()

    (winner,) = [name for name, error in outcomes.items() if error is None]
    (loss,) = [error for error in outcomes.values() if error is not None]
    assert isinstance(loss, (PermanentError, TemporaryError))
    with s3_place.store.open(SET.id, "roles.sql") as stream:
        assert stream.read().strip() == winner.encode()


def test_a_set_that_another_run_has_published_since_we_looked_is_not_written_over(
    s3_place: Prefix, tmp_path: Path
) -> None:
    ours = prepared(tmp_path / "ours")
    (ours / "roles.sql").write_bytes(b"-- of ours".ljust(len(FILES["roles.sql"])))
    others = iter([prepared(tmp_path / "of another")])

    def meanwhile(request: Request) -> None:
        if request.method == "PUT" and request.path.endswith(f".incoming-{SET.id}"):
            for folder in others:
                s3_place.store.publish(folder, SET)

    with proxy(s3_place.server.url) as late:
        late.fault = meanwhile
        with pytest.raises(PermanentError, match=f"has a set {SET.id} already"):
            s3_place.by(late.url).publish(ours, SET)

    with s3_place.store.open(SET.id, "roles.sql") as stream:
        assert stream.read() == FILES["roles.sql"]
    assert s3_place.paths() == {f"{SET.id}/{path}" for path in [*FILES, MANIFEST]}


@pytest.mark.parametrize("s3_place", CONDITIONAL, indirect=True)
def test_an_object_is_put_once_by_any_number_of_callers(s3_place: Prefix) -> None:
    bucket = Bucket(s3_place.server.settings())
    together = threading.Barrier(8)
    won: list[bool] = []

    def put(number: int) -> None:
        together.wait()
        won.append(bucket.put_new(f"{s3_place.home}once", f"{number}".encode()))

    bucket.has("anything")  # its client is made
    callers = [threading.Thread(target=put, args=(number,)) for number in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()

    assert sum(won) == 1
    assert bucket.put_new(f"{s3_place.home}once", b"too late") is False


@pytest.mark.parametrize("s3_place", CONDITIONAL, indirect=True)
def test_a_manifest_whose_answer_was_lost_is_known_for_ours(s3_place: Prefix, tmp_path: Path) -> None:
    """The second attempt is told that there is one already: it is our own."""
    with proxy(s3_place.server.url) as spoiled:
        left = iter([Fault(forget_answer=True)])

        def lose(request: Request) -> Fault | None:
            return next(left, None) if request.method == "PUT" and request.path.endswith(MANIFEST) else None

        spoiled.fault = lose
        s3_place.by(spoiled.url).publish(prepared(tmp_path / "made"), SET)

    assert [each.id for each in s3_place.store.listing().sets] == [SET.id]


def test_a_server_that_refuses_conditions_is_written_to_without_them(s3_place: Prefix, tmp_path: Path) -> None:
    refusal = b"<Error><Code>NotImplemented</Code><Message>A header you provided is not implemented</Message></Error>"
    with proxy(s3_place.server.url) as spoiled:
        refused: list[str] = []

        def refuse(request: Request) -> Fault | None:
            if request.method == "PUT" and request.path not in refused and not request.query:
                refused.append(request.path)
                return Fault(501, refusal) if request.path.endswith((MANIFEST, f".incoming-{SET.id}")) else None
            return None

        spoiled.fault = refuse
        store = s3_place.by(spoiled.url)
        store.publish(prepared(tmp_path / "made"), SET)
        with pytest.raises(PermanentError, match="already"):
            store.publish(prepared(tmp_path / "again"), SET)

    assert [each.id for each in s3_place.store.listing().sets] == [SET.id]
