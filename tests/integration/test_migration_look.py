"""A look at a real history and its database: what would be done, and everything that is refused."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from atomops.errors import AtomOpsError, NotThere
from atomops.facts.migration import Refusal
from atomops.migration.look import Look, look
from atomops.migration.order import Order
from atomops.migration.reach import reach
from atomops.migration.scripts import record_of, remember
from atomops.scratch.postgres import PostgresServer
from atomops.verdict import Unseen
from tests.migrations import HEAD, LONG, PASSWORD, WIDE, Scene

pytestmark = pytest.mark.slow(40)

GIVEN = 'return os.environ["DATABASE_URL"]'
NAIVE = f'config.set_main_option("sqlalchemy.url", os.environ["DATABASE_URL"])\n    {GIVEN}'


@pytest.fixture(scope="module")
def scene(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return Scene(postgres, tmp_path_factory.mktemp("migration")).make(WIDE)


def looked(scene: Scene, revision: str = "", **migrations: Any) -> Look:  # noqa: ANN401 - as in an inventory
    return asyncio.run(look(scene.target(**migrations), Order(revision=revision), None))


def refusals(scene: Scene, revision: str = "") -> tuple[Refusal, ...]:
    return looked(scene, revision).facts.refusals


def test_a_look_tells_where_the_database_is_and_every_step_and_statement_from_there(scene: Scene) -> None:
    before = scene.catalogue(), sorted(scene.folder.rglob("*"))

    seen = looked(scene)

    facts = seen.facts
    assert (facts.current, facts.heads, facts.target, facts.refusals) == ((WIDE,), (HEAD,), HEAD, ())
    assert [each.id for each in facts.steps][:2] == [LONG, "29c0d1e2f3a4"]
    assert facts.steps[-1].message.startswith("Episodes have a storage tier")
    assert all(re.fullmatch("[0-9a-f]{64}", each.sha256) for each in seen.applied)
    assert len(seen.applied) == 7
    assert isinstance(facts.statements, tuple)
    assert "ALTER TABLE agent_registry DROP COLUMN notes" in facts.statements
    assert not any("CREATE TABLE" in each for each in facts.statements), "it began at the first revision"
    assert isinstance(facts.lint, tuple)
    assert {"ban-drop-column", "require-concurrent-index-creation"} <= {each.rule for each in facts.lint}
    assert isinstance(facts.sizes, tuple)
    assert {"public.agent_registry", "public.episode"} <= {each.name for each in facts.sizes}
    assert (scene.catalogue(), sorted(scene.folder.rglob("*"))) == before


def test_several_heads_are_refused_until_one_is_named(scene: Scene, tmp_path: Path) -> None:
    two = scene.elsewhere(tmp_path)
    second = 'revision = "second_head"\ndown_revision = "17a8b9c0d1e2"\n\n\ndef upgrade() -> None:\n    pass\n'
    (two.scripts / "versions" / "second.py").write_text(second)
    (refusal,) = refusals(two)
    assert "2 heads" in refusal.reason
    assert "second_head" in refusal.action
    assert [each.id for each in looked(two, "second_head").facts.steps] == ["second_head"]


def test_a_database_that_was_never_stamped_is_refused(postgres: PostgresServer, tmp_path: Path) -> None:
    unstamped = Scene(postgres, tmp_path).make("")
    (refusal,) = refusals(unstamped)
    assert "not stamped" in refusal.reason
    assert f"alembic stamp {HEAD}" in refusal.action


def test_a_revision_that_no_script_has_is_refused(scene: Scene) -> None:
    scene.execute("UPDATE alembic_version SET version_num = 'of_another_release'")
    try:
        (refusal,) = refusals(scene)
    finally:
        scene.execute("UPDATE alembic_version SET version_num = '17a8b9c0d1e2'")
    assert "no script has the revision of_another_release" in refusal.reason
    assert "another release" in refusal.action


def test_an_edited_script_is_refused_by_its_hash_until_somebody_accepts_it(scene: Scene, tmp_path: Path) -> None:
    edited = scene.elsewhere(tmp_path)
    remember(edited.target(), looked(edited).applied)
    assert refusals(edited) == ()
    edited.edit("versions/r01_agents.py", "notes text", "notes varchar(9)")
    (refusal,) = refusals(edited)
    assert "a1b2c3d4e5f6 was edited after it was run" in refusal.reason
    assert str(record_of(edited.target())) in refusal.action


def test_an_id_longer_than_the_column_is_refused_before_alembic_fails_of_it(scene: Scene) -> None:
    scene.execute("ALTER TABLE alembic_version ALTER COLUMN version_num TYPE varchar(32)")
    try:
        (refusal,) = refusals(scene)
    finally:
        scene.execute("ALTER TABLE alembic_version ALTER COLUMN version_num TYPE varchar(128)")
    assert f"{LONG} has {len(LONG)} characters, alembic_version has room for 32" in refusal.reason
    assert "varchar(255)" in refusal.action


def test_a_percent_sign_that_breaks_a_naive_env_is_named_without_the_password(scene: Scene, tmp_path: Path) -> None:
    naive = scene.elsewhere(tmp_path)
    naive.edit("env.py", GIVEN, NAIVE)
    with pytest.raises(AtomOpsError, match="must be doubled") as caught:
        looked(naive)
    said = f"{caught.value} {caught.value.__cause__}"
    assert "password_in_url = false" in said
    assert PASSWORD not in said
    assert "100%25" not in said
    assert looked(naive, password_in_url=False).facts.current == (WIDE,)


def test_an_alembic_that_looks_at_another_database_is_refused(
    scene: Scene, postgres: PostgresServer, tmp_path: Path
) -> None:
    astray = scene.elsewhere(tmp_path)
    other = Scene(postgres, tmp_path / "other").make("")
    astray.edit(
        "env.py",
        'os.environ["DATABASE_URL"]',
        f'os.environ["DATABASE_URL"].replace("{scene.database}", "{other.database}")',
    )
    reasons = " ".join(each.reason for each in refusals(astray))
    assert f"alembic is at no revision, alembic_version of our database at {WIDE}" in reasons


def test_a_script_that_asks_the_database_cannot_print_its_sql_and_that_is_unknown(scene: Scene, tmp_path: Path) -> None:
    asking = scene.elsewhere(tmp_path)
    asking.edit(
        "versions/r08_maturity.py",
        "    op.execute(",
        "    op.get_bind().exec_driver_sql('SELECT 1').scalar_one()\n    op.execute(",
    )
    statements = looked(asking).facts.statements
    assert isinstance(statements, Unseen)
    assert "cannot print their SQL" in statements.reason


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"directory": "/no/such/folder"}, "there is no folder /no/such/folder"),
        ({"command": ["/no/such/alembic"]}, "there is no program /no/such/alembic"),
        ({"url_variable": "ATOM_DATABASE"}, "misses something: 'DATABASE_URL'"),
    ],
)
def test_a_wrong_setting_is_named(scene: Scene, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(AtomOpsError, match=re.escape(words)):
        looked(scene, **settings)


def test_the_doctor_names_what_would_be_refused(scene: Scene) -> None:
    assert asyncio.run(reach(scene.target())) == ()
    without = scene.target().model_copy(update={"backups": None})
    with pytest.raises(NotThere, match="has no backups"):
        asyncio.run(reach(without))
