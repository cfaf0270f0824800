import datetime as dt
from dataclasses import replace
from typing import Any

from atomops.facts.cache import Answered, CacheFacts, Keyspace, Pass, QueueKeys, RedisCleared, SampledKey, Traffic
from atomops.facts.outcome import Outcome
from atomops.facts.restore import Step
from atomops.probes.parts import CACHE
from atomops.registry import checks, judge_all
from atomops.verdict import Finding, Level, Unseen
from tests.targets import findings

KEYS = (SampledKey("cache:a", "string", 100, 20), SampledKey("cache:b", "hash", None, None))
PLANNED = RedisCleared(
    "Redis r:6379", "cache:", flush=False, found=Keyspace(40, 90, KEYS), queues=(QueueKeys("default", 3),)
)
DONE = replace(
    PLANNED, before=Traffic(90, 10, 10), passes=(Pass("one", 40),), left=Keyspace(2, 52), after=Traffic(1, 3, 10)
)
POSTED = Answered("POST http://a/clear", 200, '{"cleared": true}', 0.1)
STEPS = (Step("delete 40 keys", "SCAN …"), Step("clear the application's own cache", "POST http://a/clear"))


def facts(redis: RedisCleared | None = DONE, application: Answered | None = POSTED, *, dry: bool = False) -> CacheFacts:
    return CacheFacts(dt.datetime(2026, 11, 25, tzinfo=dt.UTC), dry, STEPS, redis, application)


def judged(seen: CacheFacts) -> dict[str, Finding]:
    return findings(CACHE, seen)


def test_a_clear_that_went_well_tells_how_much_and_how_look_ups_do() -> None:
    found = judged(facts())
    assert {each.level for each in found.values()} == {Level.OK}
    assert found["CACHE-RUN"].summary == "40 keys under 'cache:' and the application's own cache cleared"
    assert found["CACHE-KEYS-FOUND"].summary == (
        "40 of 90 keys of Redis r:6379 begin with 'cache:', about 3.9 KiB (by a sample of 2): 1 string, 1 hash"
    )
    assert found["CACHE-KEYS-FOUND"].evidence is not None
    assert found["CACHE-KEYS-FOUND"].evidence.rows[0] == ("cache:a", "string", "100 Bytes", "20.0 s")
    assert found["CACHE-INCOMPLETE"].summary == "40 keys deleted"
    assert (found["CACHE-HIT-RATIO-BEFORE"].observed, found["CACHE-HIT-RATIO-AFTER"].observed) == (0.9, 0.25)
    assert found["CACHE-KEYS-LEFT"].observed == 2
    assert found["CACHE-JOBS-DELETED"].summary == "1 job queue beside it, untouched"


def test_a_dry_run_tells_what_would_be_and_judges_nothing_that_was_not_done() -> None:
    found = judged(facts(PLANNED, None, dry=True))
    assert set(found) == {"CACHE-RUN", "CACHE-KEYS-FOUND", "CACHE-JOBS-DELETED"}
    assert found["CACHE-RUN"].summary == (
        "40 keys under 'cache:' and the application's own cache would be cleared; nothing was changed"
    )
    unsampled = replace(PLANNED, found=Keyspace(0, 9))
    assert judged(facts(unsampled, dry=True))["CACHE-KEYS-FOUND"].summary.endswith("begin with 'cache:'")


def test_only_the_application_or_only_redis() -> None:
    assert set(judged(facts(None))) == {"CACHE-RUN", "CACHE-APPLICATION"}
    only = replace(facts(DONE, None), steps=STEPS[:1])
    assert judged(only)["CACHE-RUN"].summary == "40 keys under 'cache:' cleared"


def test_a_failover_makes_it_at_least_so_many_and_a_warning() -> None:
    twice = replace(DONE, passes=(Pass("one", 30, "READONLY"), Pass("two", 35)))
    found = judged(facts(twice))
    assert found["CACHE-INCOMPLETE"].summary == "at least 35 keys deleted"
    assert found["CACHE-INTERRUPTED"].level is Level.WARNING
    assert found["CACHE-INTERRUPTED"].summary == "1 attempt ended early, the scan was begun anew: READONLY"


def test_what_is_not_known_to_be_cleared_is_critical() -> None:
    lost = replace(
        DONE, passes=(Pass("", 0, "refused"),), problem=Unseen("refused", "start it"), left=Unseen("refused")
    )
    found = judged(facts(lost))
    assert found["CACHE-RUN"].level is found["CACHE-INCOMPLETE"].level is Level.CRITICAL
    assert found["CACHE-INCOMPLETE"].action == "start it; then run it again"
    assert found["CACHE-INTERRUPTED"].evidence is not None
    assert found["CACHE-INTERRUPTED"].evidence.rows == (("not reached", "0", "refused"),)
    assert found["CACHE-KEYS-LEFT"].level is Level.UNKNOWN


def test_an_application_that_refuses_is_critical_in_its_own_words() -> None:
    refused = replace(POSTED, status=404, problem=Unseen("POST http://a/clear answers 404", "name it"))
    found = judged(facts(application=refused))
    assert found["CACHE-APPLICATION"].level is found["CACHE-RUN"].level is Level.CRITICAL
    assert found["CACHE-RUN"].summary == "POST http://a/clear answers 404"


def test_a_hit_ratio_without_traffic_is_unknown_and_unwatched_is_told() -> None:
    silent = judged(facts(replace(DONE, after=Traffic(0, 0, 10))))
    assert silent["CACHE-HIT-RATIO-AFTER"].level is Level.UNKNOWN
    assert "nobody looked anything up in Redis during 10.0 s after" in silent["CACHE-HIT-RATIO-AFTER"].summary
    assert "CACHE-HIT-RATIO-BEFORE" not in judged(facts(replace(DONE, before=None)))


def test_jobs_that_go_with_flushdb_are_a_warning_with_their_queues() -> None:
    flushed = replace(DONE, prefix="", flush=True, found=Keyspace(90, 90))
    found = judged(facts(flushed))
    assert found["CACHE-JOBS-DELETED"].level is Level.WARNING
    assert found["CACHE-JOBS-DELETED"].summary == "3 jobs of 1 queue gone with FLUSHDB"
    assert found["CACHE-KEYS-FOUND"].summary == "90 keys in Redis r:6379"
    planned = judged(facts(replace(PLANNED, flush=True, queues=()), None, dry=True))
    assert planned["CACHE-JOBS-DELETED"].summary == "no jobs of no queues would go with FLUSHDB"
    assert planned["CACHE-RUN"].summary.startswith("40 keys of the whole database and")


def test_a_refusal_is_critical_with_its_reason() -> None:
    outcome: Outcome[Any] = Outcome("the clearing", 0.1, unseen=Unseen("refused", "name it"))
    judgement, _ = judge_all([each for each in checks() if each.code == "CACHE-RUN"], {CacheFacts: outcome}, {}, {})
    assert (judgement[0].level, judgement[0].summary, judgement[0].action) == (Level.CRITICAL, "refused", "name it")
