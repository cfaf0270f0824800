import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from atomops.facts.cache import Keyspace, Pass, QueueKeys, RedisCleared, SampledKey
from atomops.inventory import Cache
from atomops.plans.cache import Refused, prefix_meant, queue_of, redis_steps, refuse_flush, refuse_prefix

CACHE = Cache(prefixes=("cache:", "atom:cache:"))
QUEUES = (QueueKeys("default", 3), QueueKeys("mail", 0))


@pytest.mark.parametrize("prefix", ["cache:", "atom:cache:agent:", "cache:rq:"])
def test_what_the_inventory_allows_may_be_cleared_and_what_is_narrower(prefix: str) -> None:
    refuse_prefix(prefix, CACHE, ("default",))


@pytest.mark.parametrize(
    ("prefix", "words"),
    [
        ("", "an empty prefix would clear everything, job queues included: name one of: cache:, atom:cache:"),
        ("*", "is a pattern, not a prefix"),
        ("cache:?", "is a pattern, not a prefix"),
        ("cache:[ab]", "is a pattern, not a prefix"),
        ("cac", "the inventory does not allow the prefix 'cac'"),
        ("session:", "name one of: cache:, atom:cache:; or add it"),
        ("r", r"would match the keys of job queues \(rq:…\): narrow the prefix"),
        ("rq:job:", "would match the keys of job queues"),
    ],
)
def test_every_other_prefix_is_refused_with_its_reason(prefix: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        refuse_prefix(prefix, CACHE, ("default",))


def test_the_only_prefix_of_the_inventory_need_not_be_said() -> None:
    assert prefix_meant("", Cache(prefixes=("cache:",))) == "cache:"
    assert prefix_meant("cache:agent:", Cache(prefixes=("cache:",))) == "cache:agent:"
    assert prefix_meant("", CACHE) == ""
    assert prefix_meant("", Cache()) == ""


def test_without_a_prefix_in_the_inventory_nothing_can_be_cleared() -> None:
    with pytest.raises(Refused, match=r"name them: prefixes = \[\"cache:\"\]"):
        refuse_prefix("cache:", Cache(), ())


@given(st.text(min_size=1, max_size=12), st.text(alphabet="rq:ueab", max_size=12))
def test_a_prefix_that_is_not_refused_matches_no_key_of_a_queue(prefix: str, rest: str) -> None:
    cache = Cache.model_construct(prefixes=(prefix,), job_prefixes=("rq:",))
    try:
        refuse_prefix(prefix, cache, ("default",))
    except Refused:
        return
    assert not f"rq:{rest}".startswith(prefix)


def test_a_queue_of_another_kind_is_protected_by_its_own_prefix() -> None:
    with pytest.raises(Refused, match="celery"):
        refuse_prefix("celery-results", Cache(prefixes=("celery",), job_prefixes=("rq:", "celery")), ())


def test_a_pattern_is_no_prefix_in_the_inventory_either() -> None:
    with pytest.raises(ValidationError, match=r"write it without \*"):
        Cache(prefixes=("cache:*",))


def test_keys_of_queues_are_known_by_their_names() -> None:
    keys = ["rq:queue:default", "rq:failed:mail:slow", "rq:job:1", "rq:queues", "rq:queue:", "cache:queue:x"]
    assert [queue_of(key) for key in keys] == ["default", "mail:slow", None, None, None, None]


def test_flushdb_wants_every_queue_by_its_name_and_no_other() -> None:
    refuse_flush(["mail", "default"], QUEUES)
    refuse_flush([], [])
    with pytest.raises(Refused) as caught:
        refuse_flush(["default", "mial"], QUEUES)
    assert str(caught.value) == (
        "FLUSHDB is refused: it would delete mail with no jobs; there is no queue mial: "
        "to delete them all the same: flush_deletes_queues=default,mail"
    )
    with pytest.raises(Refused, match="leave flush_deletes_queues out"):
        refuse_flush(["default"], [])


def test_after_an_interruption_a_queue_may_be_gone_but_none_may_be_new() -> None:
    refuse_flush(["mail", "default"], QUEUES[:1], again=True)
    with pytest.raises(Refused, match="mail"):
        refuse_flush(["default"], QUEUES, again=True)


def test_the_steps_are_the_exact_commands() -> None:
    (by_prefix,) = redis_steps("Redis r:6379", CACHE, "cache:", Keyspace(2, 10), QUEUES)
    assert by_prefix.what == "delete 2 keys of 10 in Redis r:6379"
    assert by_prefix.exactly.startswith("SCAN cursor MATCH cache:* COUNT 500; UNLINK")
    (whole,) = redis_steps("Redis r:6379", CACHE, "", Keyspace(10, 10), QUEUES)
    assert whole.what == "delete all 10 keys of Redis r:6379, with default (3 jobs), mail (no jobs)"
    assert whole.exactly == "FLUSHDB ASYNC"
    assert redis_steps("Redis r:6379", CACHE, "", Keyspace(1, 1), ())[0].what.endswith("with no job queue")


def cleared(*passes: Pass) -> RedisCleared:
    return RedisCleared("Redis r:6379", "cache:", flush=False, found=Keyspace(9, 9), queues=(), passes=passes)


def test_what_a_lost_server_had_deleted_is_not_added_to_what_its_successor_deletes_again() -> None:
    lost, again, done = Pass("one", 40, "reset"), Pass("one", 10, "reset"), Pass("two", 45)
    assert cleared().removed == 0
    assert (cleared(done).removed, cleared(done).is_exact) == (45, True)
    assert (cleared(lost, again, done).removed, cleared(lost, again, done).is_exact) == (50, False)


def test_the_size_of_all_is_told_by_the_sizes_of_some() -> None:
    some = tuple(SampledKey("k", "string", size, None) for size in (100, 200, None))
    assert Keyspace(10, 20, some).size == 1500
    assert Keyspace(10, 20, some[2:]).size is None
