"""Who is meant, which roles there are, who must stay an administrator; and what the checks make of it."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from atomops.facts.outcome import Outcome
from atomops.facts.user_role import KnownRoles, UserRoleFacts, UserRow
from atomops.plans.user_role import (
    RoleWish,
    is_demotion,
    others_left,
    refused_last,
    refused_role,
    refused_user,
)
from atomops.registry import checks, judge_all
from atomops.verdict import Finding, Gap, Level, Unseen
from tests.unit.vacuum_samples import AT

ADMINS = ("root", "admin")
HIDDEN = Unseen("whether a user is active is not known: users has no column status", "set `active`")
KNOWN = (KnownRoles("profile atom", ("root", "admin", "member")), KnownRoles("in use", ("member", "steward")))


def user(name: str, role: str | None = "member", **given: Any) -> UserRow:  # noqa: ANN401 - as the fields are
    return replace(UserRow(name, role, {"id": name, "email": f"{name}@example.com", "role": role}), **given)


def facts(**given: Any) -> UserRoleFacts:  # noqa: ANN401 - as the fields are
    made = UserRoleFacts(
        at=AT,
        dry_run=False,
        where="PostgreSQL here:5432/atom",
        table="public.users",
        profile="atom",
        user="ann",
        role="admin",
        matches=(user("ann"),),
        more=False,
        known=KNOWN,
        admins=(user("bob", "admin"),),
        statement="UPDATE ...",
        after=user("ann", "admin"),
    )
    return replace(made, **given)


def judged(seen: UserRoleFacts) -> tuple[dict[str, Finding], list[Gap]]:
    found, gaps = judge_all(checks(), {UserRoleFacts: Outcome("role", 1, facts=seen)}, {}, {})
    return {each.code: each for each in found}, gaps


def test_a_word_may_say_what_kind_of_name_it_is() -> None:
    assert (RoleWish("id:42", "x").kinds, RoleWish("id:42", "x").value) == (("id",), "42")
    assert RoleWish("email:a@b.example", "x").value == "a@b.example"
    for plain in ("42", "http://x", "id:"):
        assert RoleWish(plain, "x").value == plain
        assert len(RoleWish(plain, "x").kinds) == 3


def test_one_user_is_meant_and_none_or_two_are_refused() -> None:
    wish = RoleWish("ann", "admin")
    assert refused_user(wish, [user("ann")], more=False, table="users") is None
    none = refused_user(wish, [], more=False, table="users")
    many = refused_user(wish, [user("ann")] * 20, more=True, table="users")
    assert none is not None
    assert many is not None
    assert "means more than 20 rows" in many.reason
    assert many.action == "name one by its id, such as id:ann"


def test_a_role_is_refused_by_enum_constraint_or_when_nobody_knows_it() -> None:
    enum = KnownRoles("enum user_role", ("member",), binding=True)
    long = KnownRoles("in use", tuple(f"role-{number:02}" for number in range(20)))
    assert refused_role(RoleWish("a", "steward"), KNOWN, ()) is None
    assert refused_role(RoleWish("a", "member"), (*KNOWN, enum), ()) is None
    for wish, known, broken, told in (
        ("admin", (*KNOWN, enum), (), "the enum user_role has no role 'admin'"),
        ("admin", KNOWN, ("the check constraint few",), "the check constraint few does not allow the role 'admin'"),
        ("boss", (long,), (), "nobody knows a role 'boss'"),
    ):
        refused = refused_role(RoleWish("a", wish), known, broken)
        assert refused is not None
        assert refused.reason == told
        assert refused.action.startswith("use one of ")
    listed = refused_role(RoleWish("a", "boss"), (long,), ())
    assert listed is not None
    assert listed.action.endswith("role-11, ...")


def test_less_than_before_is_a_demotion_and_more_is_none() -> None:
    assert is_demotion("root", "admin", ADMINS)
    assert is_demotion("admin", "member", ADMINS)
    assert not is_demotion("admin", "root", ADMINS)
    assert not is_demotion("member", "guest", ADMINS)
    assert not is_demotion(None, "member", ADMINS)


def test_only_active_ones_as_high_count_as_left_and_unknown_is_no() -> None:
    ann, wish = user("ann", "root"), RoleWish("ann", "member")
    lower, gone, unsure = user("b", "admin"), user("c", "root", active=False), user("d", "root", active=HIDDEN)
    assert others_left(ann, [ann, lower, gone, unsure], ADMINS) == ()
    assert others_left(user("x"), [lower, gone], ADMINS) == (lower,)
    last = refused_last(wish, ann, [ann, lower, gone], ADMINS)
    assert last is not None
    assert last.reason.startswith("ann@example.com (ann) is the last active root")
    not_known = refused_last(wish, ann, [ann, gone, unsure], ADMINS)
    assert not_known is not None
    assert not_known.reason.startswith("nobody knows who would be left as root")
    assert refused_last(wish, ann, [ann, user("e", "root")], ADMINS) is None
    assert refused_last(RoleWish("x", "guest"), user("x"), [], ADMINS) is None


@given(st.lists(st.tuples(st.sampled_from([*ADMINS, "member"]), st.booleans()), min_size=1, max_size=6), st.data())
def test_where_an_administrator_was_active_one_is_left(rows: list[tuple[str, bool]], data: st.DataObject) -> None:
    users = [user(str(number), role, active=active) for number, (role, active) in enumerate(rows)]
    chosen = data.draw(st.sampled_from(users))
    role = data.draw(st.sampled_from([*ADMINS, "member"]))
    if refused_last(RoleWish(chosen.id, role), chosen, users, ADMINS) is None:
        after = [replace(each, role=role) if each is chosen else each for each in users]
        assert _any_active(after) or not _any_active(users)


def _any_active(users: list[UserRow]) -> bool:
    return any(each.role in ADMINS and each.active for each in users)


def test_a_user_is_known_by_its_first_name_in_the_profiles_order() -> None:
    assert user("ann").label == "ann@example.com (ann)"
    assert UserRow("7", "member", {"id": "7", "role": "member"}).label == "7"


def test_a_changed_role_is_ok_throughout() -> None:
    found, _ = judged(facts())
    assert {each.level for each in found.values()} == {Level.OK}
    assert found["USER-ROLE-DONE"].summary == "ann@example.com (ann) is admin now, and was member"
    assert found["USER-ROLE-UNKNOWN"].summary == "the role admin is known by: profile atom"
    assert found["USER-ROLE-LAST-ADMIN"].summary == "besides, 1 active administrator"


def test_a_run_that_could_not_begin_is_critical() -> None:
    busy: Outcome[UserRoleFacts] = Outcome("role", 1, unseen=Unseen("production is being changed by ...", "wait"))
    found, _ = judge_all(checks(), {UserRoleFacts: busy}, {}, {})
    assert [each.code for each in found if each.level is Level.CRITICAL] == ["USER-ROLE-RUN"]


def test_dry_runs_and_what_is_so_already_change_nothing_and_are_ok() -> None:
    dry, _ = judged(facts(dry_run=True, after=None))
    assert dry["USER-ROLE-DONE"].summary.startswith("dry run: ann@example.com (ann), now member, would be made admin")
    same, _ = judged(facts(role="member", statement="", after=None))
    assert same["USER-ROLE-DONE"].summary == "ann@example.com (ann) is member already: nothing was changed"
    assert {each.level for each in (*dry.values(), *same.values())} == {Level.OK}


def test_what_was_not_confirmed_is_critical() -> None:
    for after, told in (
        (None, "was made admin, and is unknown again"),
        (user("ann", "guest"), "was made admin, and is guest again"),
        (Unseen("ann was changed, and is gone since", "look who"), "is gone since"),
    ):
        found, _ = judged(facts(after=after))
        assert found["USER-ROLE-DONE"].level is Level.CRITICAL
        assert told in found["USER-ROLE-DONE"].summary


def test_every_refusal_speaks_for_itself_and_a_dry_run_tells_it_too() -> None:
    why = Unseen("because", "do that")
    for field, code in (
        ("refused", "USER-ROLE-REFUSED"),
        ("not_known", "USER-ROLE-UNKNOWN"),
        ("last_admin", "USER-ROLE-LAST-ADMIN"),
    ):
        found, _ = judged(facts(**{field: why}, statement="", after=None))
        critical = {each.code for each in found.values() if each.level is Level.CRITICAL}
        assert critical == {"USER-ROLE-DONE", code}
        assert found["USER-ROLE-DONE"].summary == "nothing was changed: because"
        dry, _ = judged(facts(**{field: why}, dry_run=True, statement="", after=None))
        assert [each.code for each in dry.values() if each.level is Level.CRITICAL] == [code]


def test_without_a_user_nothing_is_said_of_one() -> None:
    found, gaps = judged(facts(matches=(), admins=None, refused=Unseen("no row", "look it up"), after=None))
    assert found["USER-ROLE-REFUSED"].evidence is None
    assert len(gaps) == 2
    nobody, _ = judged(facts(matches=(), admins=None, after=None))
    assert nobody["USER-ROLE-DONE"].summary == "nothing was changed: "


def test_whether_the_user_is_active_is_a_warning_or_unknown() -> None:
    found, _ = judged(facts(matches=(user("ann", active=False),)))
    assert found["USER-ROLE-INACTIVE"].level is Level.WARNING
    found, _ = judged(facts(matches=(user("ann", active=HIDDEN),)))
    assert found["USER-ROLE-INACTIVE"].level is Level.UNKNOWN
