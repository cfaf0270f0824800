"""Files of a host, of a unit and of containers: whole or told, put back as they were, half a set never listed."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from atomops.facts.backup import Result
from atomops.facts.configuration import Why
from atomops.facts.configuration_restore import Deed, Fate
from atomops.inventory import Docker, Systemd
from atomops.scratch.place import make_folder
from tests.configurations import Configured, configured, new_keys
from tests.engines import IMAGE, docker_engine, systemd
from tests.waiting import wait_until

pytestmark = pytest.mark.slow(15)
SECRET = "swordfish-of-the-cache"


def files(folder: Path, *paths: Path, **settings: Any) -> Configured:  # noqa: ANN401 - as in an inventory
    return configured(folder, new_keys(), files=paths, **settings)


def test_what_cannot_be_read_whole_is_told_file_by_file(tmp_path: Path) -> None:
    (tmp_path / "real.env").write_text(f"A={SECRET}\n")
    (tmp_path / "link.env").symlink_to("real.env")
    (tmp_path / "broken").symlink_to("nowhere")
    (tmp_path / "large").write_bytes(b"x" * 101)
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    names = ("link.env", "broken", "large", "folder", "pipe", "gone")
    it = files(tmp_path, *(tmp_path / name for name in names), file_limit=100)
    facts = it.back_up().facts
    (taken,) = facts.taken
    assert taken.notes == ("a symbolic link to real.env",)
    why = {Path(each.name).name: (each.why, each.reason) for each in facts.not_taken}
    assert why == {
        "broken": (Why.MISSING, "it is a link to nowhere, which is not there"),
        "large": (Why.UNKNOWN, "it is larger than 100 Bytes"),
        "folder": (Why.UNKNOWN, "it is no regular file"),
        "pipe": (Why.UNKNOWN, "it is no regular file"),
        "gone": (Why.MISSING, "there is no such file here"),
    }
    assert SECRET.encode() not in it.everything_stored()
    set_id = it.sets()[0].id
    (tmp_path / "link.env").unlink()
    (tmp_path / "real.env").unlink()
    (done,) = it.restore(backup=set_id).restorations
    assert (done.deed, done.fate) == (Deed.CREATE, Fate.DONE)
    assert (tmp_path / "link.env").readlink() == Path("real.env")
    assert (tmp_path / "real.env").read_text() == f"A={SECRET}\n"


def test_a_file_goes_back_with_its_mode_and_owner_and_what_stands_against_that_is_told(tmp_path: Path) -> None:
    one, other = tmp_path / "one.env", tmp_path / "folder" / "other.env"
    other.parent.mkdir()
    for path in (one, other):
        path.write_text("A=1\n")
        path.chmod(0o640)
    it = files(tmp_path, one, other)
    it.back_up()
    one.write_text("# another comment\nA=1\n")
    one.chmod(0o600)
    other.unlink()
    other.parent.rmdir()
    other.parent.write_text("a file is in the way")
    planned = {Path(each.name).name: each for each in it.restore(dry_run=True).restorations}
    assert [each.field for each in planned["one.env"].differences] == ["mode"]
    done = {Path(each.name).name: each for each in it.restore().restorations}
    assert done["one.env"].fate is Fate.DONE
    assert (one.read_text(), oct(one.stat().st_mode)[-3:]) == ("A=1\n", "640")
    assert Path(done["one.env"].former).read_text().startswith("# another")
    assert done["other.env"].fate is Fate.FAILED
    assert not list(tmp_path.glob(".one.env*"))


def test_a_store_that_is_away_keeps_the_other_from_nothing_and_pruning_touches_one_kind(tmp_path: Path) -> None:
    (tmp_path / "a.env").write_text("A=1\n")
    (tmp_path / "in-the-way").write_text("no folder")
    it = files(tmp_path, tmp_path / "a.env")
    backups = it.target.backups
    assert backups is not None
    away = {"store": str(tmp_path / "in-the-way")}
    two = backups.model_validate({"store": str(tmp_path / "store"), "stores": [away], "work_folder": tmp_path / "work"})
    it = Configured(tmp_path, it.target.model_copy(update={"backups": two}))
    facts = it.back_up().facts
    well, failed = facts.stored
    assert well.proof is not None
    assert well.proof.result is Result.READ
    assert failed.problem is not None
    assert "cannot be" in failed.problem.reason
    assert it.back_up().facts.compared_with == facts.set_id


def test_killed_in_the_middle_no_half_set_is_listed_and_the_next_run_clears_up(tmp_path: Path) -> None:
    (tmp_path / "a.env").write_text(f"A={SECRET}\n")
    it = files(tmp_path, tmp_path / "a.env")
    incoming = it.store.home
    program = (
        "import sys, time, pathlib\n"
        "from atomops.configuration import backing_up\n"
        "from tests.configurations import *\n"
        "def hang(*a, **k):\n"
        "    backing_up_write(*a, **k)\n"
        "    pathlib.Path(sys.argv[1], 'written').touch()\n"
        "    time.sleep(600)\n"
        "backing_up_write, backing_up.write = backing_up.write, hang\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "configured(folder, new_keys(), files=(folder / 'a.env',)).back_up()\n"
    )
    child = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)])
    wait_until(lambda: (tmp_path / "written").exists() or child.poll() is not None, "the set in the making")
    assert child.poll() is None
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert list(incoming.glob(".incoming-*"))
    assert it.sets() == ()
    assert SECRET.encode() not in it.everything_stored()
    facts = it.back_up().facts
    assert len(facts.swept) == 1
    assert len(it.sets()) == 1
    assert not list(incoming.glob(".incoming-*"))


def test_a_unit_is_saved_with_its_drop_ins_and_environment_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = tmp_path / "atom.env"
    environment.write_text(f"A={SECRET}\n")
    with systemd(make_folder("atomops-systemd-")) as manager:
        program = tmp_path / "systemctl"
        program.write_text(f'#!/bin/sh\nexec {" ".join(manager.enter)} /usr/bin/systemctl "$@"\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        lines = f"[Service]\nExecStart=/bin/sleep 600\nEnvironmentFile={environment}\nEnvironmentFile=-/nowhere.env\n"
        manager.write("configured.service", f"[Unit]\nDefaultDependencies=no\n{lines}")
        it = configured(tmp_path, new_keys(), runtime={"kind": "systemd", "unit": "configured.service"})
        assert isinstance(it.target.runtime, Systemd)
        facts = it.back_up().facts
    names = {each.name for each in facts.taken} | {each.name for each in facts.not_taken}
    assert {str(environment), "/nowhere.env"} < names
    assert any(name.endswith("/configured.service") for name in names)
    assert SECRET.encode() not in it.everything_stored()


def test_containers_are_described_with_their_environment_and_never_made_by_a_restore(tmp_path: Path) -> None:
    with docker_engine(make_folder("atomops-docker-")) as engine:
        options: dict[str, Any] = {"labels": {"app": "atom"}, "network_mode": "none", "environment": {"PW": SECRET}}
        container = engine.client.containers.run(
            IMAGE, ["sh", "-c", "sleep 600"], detach=True, name="atom-1", **options
        )
        runtime = {"kind": "docker", "label": "app=atom", "host": engine.host}
        it = configured(tmp_path, new_keys(), runtime=runtime)
        assert isinstance(it.target.runtime, Docker)
        facts = it.back_up().facts
        container.remove(force=True)
    assert [each.name for each in facts.taken] == ["container/atom-1"]
    (described,) = [each.document for each in it.contents().values()]
    assert described["environment"]["PW"] == SECRET  # type: ignore[index]
    assert described["command"] == ["sh", "-c", "sleep 600"]
    assert SECRET.encode() not in it.everything_stored()
    (told,) = it.restore().restorations
    assert (told.deed, told.fate) == (Deed.BY_HAND, Fate.PLANNED)
