"""An exchange after which the application is not ready goes back by itself."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from atomops.change.journal import unfinished
from atomops.errors import NotThere, Unreachable
from atomops.facts.restore import DISCONNECT, STOP
from atomops.probes import replaced
from atomops.restore.recovery import finish_killed
from atomops.scratch.postgres import PostgresServer
from tests.restore_asked import PATIENT, RENAMING, as_in_the_beginning, asked, is_live, mark_live, without
from tests.restores import Ground, flag_runtime
from tests.rounds import thoroughly
from tests.waiting import wait_until

pytestmark = pytest.mark.slow(30)

BOTH = pytest.mark.parametrize("quiesce", thoroughly([STOP, DISCONNECT], short=[STOP]))


@pytest.fixture(scope="module")
def made(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with asked(postgres, "exchanged", tmp_path_factory.mktemp("exchanged")) as at:
        yield at


@pytest.fixture
def at(made: Ground) -> Iterator[Ground]:
    yield made
    as_in_the_beginning(made)


@BOTH
def test_what_is_not_ready_afterwards_goes_back_and_the_refused_copy_is_kept_as_that(at: Ground, quiesce: str) -> None:
    mark_live(at)

    facts = at.restore(backup=without(at), quiesce=quiesce)

    done = facts.exchange
    assert done is not None
    assert "the application was not ready within 2 s" in done.went_back
    assert done.problem is None
    assert done.is_ready
    assert is_live(at)
    assert at.runs
    assert at.ours() == [done.kept]
    assert "_refused_" in done.kept
    assert unfinished(at.target) is None
    with pytest.raises(NotThere, match="no replaced database of exchanged is kept"):
        at.restore(backup="previous")
    (kept,) = [each for each in asyncio.run(replaced.look(at.target)).databases if each.of == "exchanged"]
    assert kept.name == done.kept


@BOTH
def test_an_application_that_was_not_ready_before_is_no_reason_to_go_back(at: Ground, quiesce: str) -> None:
    mark_live(at)
    at.execute("DROP TABLE needed")

    facts = at.restore(backup=without(at), quiesce=quiesce)

    assert facts.exchange is not None
    assert facts.exchange.went_back == ""
    assert facts.exchange.problem is not None
    assert not is_live(at)
    assert at.runs
    assert unfinished(at.target) is None

    assert at.but(changes=PATIENT).restore(quiesce=quiesce).exchange.is_ready  # type: ignore[union-attr]


@BOTH
def test_what_was_stopped_before_stays_stopped_and_is_not_waited_for(at: Ground, quiesce: str) -> None:
    (at.folder / "running").unlink()
    facts = at.but(changes=PATIENT, runtime=flag_runtime(at.folder, stop="exit 9")).restore(quiesce=quiesce)
    assert facts.exchange is not None
    assert facts.exchange.problem is None
    assert "did not run before" in facts.exchange.unasked
    assert not at.runs


def test_without_a_runtime_its_sessions_are_ended_and_it_comes_back_by_itself(at: Ground) -> None:
    mark_live(at)
    facts = at.but(changes=PATIENT, runtime=None).restore(quiesce=DISCONNECT)
    assert facts.exchange is not None
    assert facts.exchange.is_ready
    assert not is_live(at)
    assert unfinished(at.target) is None


def test_a_session_of_ours_that_is_ended_in_the_middle_leaves_everything_as_it_was(at: Ground) -> None:
    mark_live(at)

    def end_it() -> None:
        wait_until(lambda: at.rows(f"SELECT pg_terminate_backend(pid) {RENAMING}", "postgres") == [True], "the rename")

    with at.server.connect() as session:
        session.execute("BEGIN")
        session.execute("COMMENT ON DATABASE exchanged IS NULL")
        meanwhile = threading.Thread(target=end_it)
        meanwhile.start()
        with pytest.raises(Unreachable, match=r"exchanged was not exchanged: .* ended our session"):
            at.restore()
        meanwhile.join()
    assert is_live(at)
    assert at.runs
    assert at.ours() == []
    assert unfinished(at.target) is None


def test_a_way_back_that_fails_is_told_as_that_and_finished_later(at: Ground) -> None:
    mark_live(at)
    once = f"[ -e {at.folder}/stopped ] && exit 7; touch {at.folder}/stopped; rm {at.folder}/running"

    facts = at.but(runtime=flag_runtime(at.folder, stop=once)).restore(backup=without(at))

    (at.folder / "stopped").unlink()
    done = facts.exchange
    assert done is not None
    assert done.problem is not None
    assert done.went_back == ""
    assert "and it could not be taken back" in done.problem.reason
    assert "_replaced_" in done.kept
    assert at.runs
    assert unfinished(at.target) is not None

    told = asyncio.run(finish_killed(at.target))

    assert "exchanged is the earlier database again" in told[1]
    assert is_live(at)
    assert unfinished(at.target) is None


@pytest.mark.few(1)
@pytest.mark.parametrize("backup", ["latest", "previous"])
def test_going_back_and_forth_keeps_one_database_of_each(at: Ground, backup: str) -> None:
    patient = at.but(changes=PATIENT)
    mark_live(at)
    patient.restore()
    assert not is_live(at)
    patient.restore(backup="previous")
    assert is_live(at)
    patient.restore(backup=backup)
    assert not is_live(at)
    assert len(at.ours()) == (1 if backup == "previous" else 2)
