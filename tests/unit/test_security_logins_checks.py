import datetime as dt
from dataclasses import replace

from atomops.facts.logins import Failed, LoginFacts, Source
from atomops.facts.outcome import Outcome
from atomops.registry import checks
from atomops.verdict import Finding, Gap, Unseen

AT = dt.datetime(2026, 11, 25, 7, 0, tzinfo=dt.UTC)
LOST = Unseen("the log file /var/log/atom.log may not be read by this user", "setfacl ...")
NONE = LoginFacts(AT, 24, log=None, table=None, postgres=None)
QUIET = LoginFacts(AT, 24, log=Source(()), table=Source(()), postgres=None)
DAMAGED = Source((), incomplete=(Unseen("atom.log.2.gz is damaged", "gzip --test"),))
EVERY = (
    "SEC-LOGINS-LOG",
    "SEC-LOGINS-TABLE",
    "SEC-LOGINS-ADDRESS",
    "SEC-LOGINS-ACCOUNT",
    "SEC-LOGINS-SPRAYED",
    "SEC-LOGINS-NEW",
)


def failed(account: str, address: str, count: int) -> Failed:
    return Failed(account, address, count, AT - dt.timedelta(hours=2), AT - dt.timedelta(hours=1))


def judged(seen: LoginFacts, code: str, before: LoginFacts | None = None) -> Finding | Gap:
    (check,) = [each for each in checks() if each.code == code]
    return check.judge(Outcome("logins", 0.1, facts=seen), before)


def found(seen: LoginFacts, code: str, before: LoginFacts | None = None) -> Finding:
    finding = judged(seen, code, before)
    assert isinstance(finding, Finding)
    return finding


def test_nothing_failed_where_everything_was_read() -> None:
    assert {code: str(found(QUIET, code, QUIET).level) for code in EVERY} == dict.fromkeys(EVERY, "OK")


def test_nothing_is_claimed_of_what_was_not_read() -> None:
    for seen in (replace(QUIET, log=LOST), replace(QUIET, log=DAMAGED)):
        levels = {code: str(found(seen, code, QUIET).level) for code in EVERY}
        assert levels == dict.fromkeys(EVERY, "UNKNOWN") | {"SEC-LOGINS-TABLE": "OK"}
    assert found(replace(NONE, log=LOST), "SEC-LOGINS-ADDRESS").level == "UNKNOWN"


def test_without_any_source_nothing_is_checked_and_the_reason_said() -> None:
    for code in (*EVERY, "SEC-LOGINS-POSTGRES"):
        assert isinstance(judged(NONE, code), Gap), code


def test_a_guesser_is_told_by_address_and_by_account_and_no_login_counts_twice() -> None:
    table = Source((failed("ada@example.com", "203.0.113.7", 55), failed("", "203.0.113.8", 2)))
    log = Source((failed("ada@example.com", "203.0.113.7", 40), failed("bob", "", 3)))
    seen = replace(QUIET, table=table, log=log)
    address = found(seen, "SEC-LOGINS-ADDRESS")
    assert (address.level, address.summary) == ("WARNING", "55 failed logins from 203.0.113.7 in 24 h")
    assert found(seen, "SEC-LOGINS-SPRAYED").observed == 1
    account = found(seen, "SEC-LOGINS-ACCOUNT")
    assert (account.level, account.observed) == ("CRITICAL", 55)
    assert account.evidence is not None
    assert account.evidence.rows[0] == ("ada@example.com", "55", "203.0.113.7")
    assert found(seen, "SEC-LOGINS-TABLE").summary == "57 failed logins in 24 h in the audit table"


def test_many_accounts_from_one_address_are_a_finding_though_each_failed_once() -> None:
    sprayed = Source(tuple(failed(f"user{number}", "203.0.113.7", 1) for number in range(25)))
    finding = found(replace(QUIET, table=sprayed), "SEC-LOGINS-SPRAYED")
    assert (finding.level, finding.summary) == ("CRITICAL", "25 accounts tried from 203.0.113.7 in 24 h")


def test_addresses_that_were_not_there_before_are_told_when_they_persist() -> None:
    then = replace(QUIET, table=Source((failed("ada", "10.0.0.1", 9),)))
    now = replace(
        QUIET, table=Source((failed("ada", "10.0.0.1", 9), failed("a", "10.0.0.2", 5), failed("b", "10.0.0.3", 4)))
    )
    finding = found(now, "SEC-LOGINS-NEW", then)
    assert (finding.level, finding.observed) == ("WARNING", 1)
    assert isinstance(judged(now, "SEC-LOGINS-NEW"), Gap)


def test_what_lies_beyond_the_bound_and_what_could_not_be_read_is_said() -> None:
    seen = replace(QUIET, log=Source((failed("ada", "", 3),), more=4, incomplete=DAMAGED.incomplete))
    finding = found(seen, "SEC-LOGINS-LOG")
    assert (finding.observed, finding.action) == (7, "gzip --test")
    assert "4 of them by accounts and addresses beyond the first 1" in finding.summary
    assert "1 file could not be read: atom.log.2.gz is damaged" in finding.summary
    assert (
        found(replace(QUIET, postgres=Source((failed("x", "10.0.0.1", 30),))), "SEC-LOGINS-POSTGRES").level == "WARNING"
    )
