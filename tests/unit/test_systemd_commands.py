import datetime as dt

import pytest

from atomops.commands import systemd

NOW = dt.datetime(2026, 11, 25, 7, 18, 11, 900_000, tzinfo=dt.UTC)
RUNNING = """\
Id=atom-os.service
LoadState=loaded
LoadError= ""
ActiveState=active
SubState=running
MainPID=31
NRestarts=2
ExecMainStartTimestamp=Wed 2026-11-25 07:18:11 UTC
ExecMainStatus=0
Result=success
InvocationID=e418dd492f0c4459815509692b0c64bc
NeedDaemonReload=yes
TriggeredBy=atom-os.socket atom-os.timer
"""


def test_a_running_unit_is_read_from_what_systemctl_shows() -> None:
    unit = systemd.parse(RUNNING)
    assert (unit.id, unit.state, unit.main_pid, unit.restarts) == ("atom-os.service", "active (running)", 31, 2)
    assert unit.started_at == NOW.replace(microsecond=0)
    assert unit.needs_reload
    assert unit.triggered_by == ("atom-os.socket", "atom-os.timer")
    assert (unit.is_stopped, unit.why, unit.load_error) == (False, "", "")


def test_a_unit_that_has_failed_says_why() -> None:
    text = RUNNING.replace("active\n", "failed\n", 1).replace("MainPID=31", "MainPID=0")
    unit = systemd.parse(text.replace("success", "exit-code").replace("ExecMainStatus=0", "ExecMainStatus=203"))
    assert unit.is_stopped
    assert unit.why == "exit-code, exit status 203"


def test_a_unit_that_never_ran_has_no_time() -> None:
    assert systemd.parse(RUNNING.replace("Wed 2026-11-25 07:18:11 UTC", "")).started_at is None


def test_an_old_systemd_without_some_properties_is_read_too() -> None:
    unit = systemd.parse("Id=a.service\nLoadState=loaded\nActiveState=inactive\nSubState=dead\n")
    assert unit.is_stopped
    assert (unit.invocation, unit.triggered_by, unit.needs_reload) == ("", (), False)


def test_what_is_no_answer_of_systemctl_is_refused() -> None:
    with pytest.raises(ValueError, match="told no Id: 'nonsense'"):
        systemd.parse("nonsense")


@pytest.mark.parametrize(("user", "flags"), [(False, []), (True, ["--user"])])
def test_the_command_lines_name_exactly_one_unit_and_ask_nobody(*, user: bool, flags: list[str]) -> None:
    restart = systemd.change("restart", "a.service", user=user)
    assert restart == ["systemctl", *flags, "--no-ask-password", "restart", "--", "a.service"]
    assert systemd.show("a.service", user=user)[-2:] == ["--", "a.service"]
    assert systemd.reload(user=user) == ["systemctl", *flags, "--no-ask-password", "daemon-reload"]


def test_the_journal_is_read_backwards_from_its_end_to_that_second() -> None:
    argv = systemd.journal("a.service", NOW, 50, user=False)
    assert {f"--since=@{int(NOW.timestamp())}", "--lines=50", "--reverse", "--unit=a.service"} <= set(argv)
    assert "--user-unit=a.service" in systemd.journal("a.service", NOW, 50, user=True)


def test_the_files_of_a_unit_are_read_from_what_systemd_shows() -> None:
    text = """\
FragmentPath=/etc/systemd/system/atom.service
DropInPaths=/etc/systemd/system/atom.service.d/a.conf /run/systemd/b.conf
EnvironmentFiles=/etc/atom/atom.env (ignore_errors=no)
EnvironmentFiles=/etc/atom/local.env (ignore_errors=yes)
"""
    files = systemd.parse_files(text)
    assert files.units == (
        "/etc/systemd/system/atom.service",
        "/etc/systemd/system/atom.service.d/a.conf",
        "/run/systemd/b.conf",
    )
    assert files.environment == ("/etc/atom/atom.env", "/etc/atom/local.env")
    assert files.optional == {"/etc/atom/local.env"}
    assert systemd.parse_files("FragmentPath=\nEnvironmentFiles=\n").units == ()
    assert "--property=FragmentPath,DropInPaths,EnvironmentFiles" in systemd.show_files("atom.service", user=True)
