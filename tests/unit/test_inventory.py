import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from atomops.errors import InventoryError, NotThere
from atomops.inventory import Inventory, load_inventory
from atomops.parameters import Switch, TargetName, UserName
from atomops.secret import Secret, read_secret

WHOLE = """
[targets.production]
timezone = "Europe/Berlin"
profile  = "auto"
[targets.production.app]
url = "https://atom.example.com"
host_header = "atom.example.com"
tls = true
[targets.production.postgres]
dsn = "postgresql://atom@db.example.com:5432/atom"
password = "env:ATOM_PGPASSWORD"
[targets.production.redis]
url = "redis://cache.example.com:6379/0"
[targets.production.prometheus]
url = "http://prometheus.example.com"
alertmanager_url = "http://alertmanager.example.com"
[targets.production.logs]
paths = ["/var/log/atom/atom.log"]
[targets.production.host]
paths = ["/var/lib/postgresql", "/var/lib/redis", "/var/log/atom"]
[targets.production.backups]
store = "/backups/atom"
keep_days = 30
keep_last = 7
jobs = 2
[targets.production.runtime]
kind = "kubernetes"
deployment = "atom"
namespace = "default"
[targets.production.migrations]
command = ["alembic"]
directory = "/srv/atom/backend"
[targets.production.limits]
"HTTP-ERROR-RATIO" = { warning = 0.01, critical = 0.05 }
[[targets.production.acknowledged]]
code = "PG-INDEX-UNUSED"
reason = "kept for the yearly report"
until = 2027-01-31
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "inventory.toml"
    path.write_text(text, encoding="utf-8")
    return path


def complaint(folder: Path, text: str) -> str:
    with pytest.raises(InventoryError) as caught:
        load_inventory(written(folder, text))
    return str(caught.value)


def test_the_inventory_of_the_manual_is_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATOM_PGPASSWORD", "sesame")
    target = load_inventory(written(tmp_path, WHOLE)).target("production")
    assert target.name == "production"
    assert target.postgres is not None
    assert target.postgres.password is not None
    assert target.postgres.password.reveal() == "sesame"
    assert target.limits["HTTP-ERROR-RATIO"].critical == 0.05


def test_an_unknown_key_is_named_with_the_file_and_a_suggestion(tmp_path: Path) -> None:
    said = complaint(tmp_path, '[targets.a.redis]\nulr = "redis://x"\nurl = "redis://x"')
    assert said == f"{tmp_path}/inventory.toml: targets.a.redis.ulr is not a known key; did you mean 'url'?"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[targets.a.app]", "targets.a.app.url is missing"),
        ('[targets.a.app]\nurl = "atom.example.com"', "targets.a.app.url: expected an address such as https://host"),
        (
            '[targets.a.app]\nurl = "https://x"\ntimeout = "soon"',
            "targets.a.app.timeout: Input should be a valid number",
        ),
        ('[targets.a.app]\nurl = "https://x"\ntimeout = 0', "targets.a.app.timeout: Input should be greater than 0"),
        ('[targets.a]\ntimezone = "Berlin"', "targets.a.timezone: no time zone is called 'Berlin'"),
        ('[targets.a.redis]\nurl = "redis://x"\npassword = "hunter2"', "never the value: env:NAME"),
        ('[targets.a.redis]\nurl = "redis://:hunter2@x"', "no password in an address"),
        ('[targets.a.redis]\nurl = "redis://x:99999"', "targets.a.redis.url: Port out of range 0-65535"),
        ('[targets.a.app]\nurl = "http://x:y"', "targets.a.app.url: Port could not be cast to integer"),
        ('[targets."A B"]', "targets.A B: String should match pattern"),
        ("targets = 3", "targets: Input should be a valid dictionary"),
        ("", "targets is missing"),
        ("[targets", "is not valid TOML"),
    ],
)
def test_a_bad_value_is_one_line_that_names_its_key(tmp_path: Path, text: str, words: str) -> None:
    said = complaint(tmp_path, text)
    assert words in said
    assert "hunter2" not in said
    assert "\n" not in said
    assert str(tmp_path / "inventory.toml") in said


def test_a_missing_file_says_how_to_name_another(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match="ATOMOPS_INVENTORY"):
        load_inventory(tmp_path / "nowhere.toml")


def test_an_unknown_target_suggests_the_nearest_one(tmp_path: Path) -> None:
    inventory = load_inventory(written(tmp_path, "[targets.production]\n[targets.staging]"))
    with pytest.raises(NotThere, match="did you mean 'production'"):
        inventory.target("prod")


def test_a_missing_secret_is_named_by_its_key_but_only_for_the_target_that_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ATOM_PGPASSWORD", raising=False)
    inventory = load_inventory(written(tmp_path, WHOLE + "\n[targets.staging]"))
    assert inventory.target("staging").postgres is None
    with pytest.raises(InventoryError, match=r"targets\.production\.postgres\.password.*ATOM_PGPASSWORD is not set"):
        inventory.target("production")


@pytest.mark.parametrize(
    ("content", "words"), [(None, "cannot be read"), (b"", "is empty"), (b"\xff\xfe", "not UTF-8 text")]
)
def test_an_unusable_secret_file_is_named(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LookupError, match=words) as caught:
        read_secret(f"file:{path}")
    assert str(path) in str(caught.value)


@given(st.text(min_size=6, alphabet=st.characters(codec="utf-8", exclude_categories=["C", "Z"])))
def test_a_secret_never_shows_in_a_repr_or_a_dump(value: str) -> None:
    value = f"§{value}§"
    inventory = Inventory.model_validate(tomllib.loads('[targets.a.redis]\nurl = "redis://x"\npassword = "env:P"'))
    target = inventory.target("a", read=lambda _reference: value)
    assert target.redis is not None
    assert target.redis.password is not None
    assert target.redis.password.reveal() == value
    for shown in (repr(target), str(target), target.model_dump_json(), repr(target.redis.password)):
        assert value not in shown


def test_backups_without_any_store_are_refused(tmp_path: Path) -> None:
    assert "name at least one store" in complaint(tmp_path, "[targets.a.backups]\nkeep_days = 30\n")


@pytest.mark.parametrize(
    ("settings", "hint"),
    [
        ('access_key_id = "env:A"', "go together"),
        ('secret_access_key = "env:A"', "go together"),
        ('kms_key_id = "alias/backups"', "aws:kms"),
        ('kms_key_id = "alias/backups"\nencryption = "AES256"', "aws:kms"),
    ],
)
def test_a_store_with_half_a_setting_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str, hint: str
) -> None:
    monkeypatch.setenv("A", "a value")

    assert hint in complaint(tmp_path, f'[targets.a.backups]\nstore = "s3://bucket/atom"\n{settings}\n')


def test_further_stores_have_rules_of_their_own(tmp_path: Path) -> None:
    text = """
        [targets.a.backups]
        store = "/backups"
        keep_days = 7
        stores = [{store = "s3://bucket/atom", endpoint_url = "http://127.0.0.1:9000/"}]
    """
    backups = load_inventory(written(tmp_path, text)).targets["a"].backups
    assert backups is not None
    assert [(each.store, each.keep_days) for each in backups.every_store] == [("/backups", 7), ("s3://bucket/atom", 30)]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ('[targets.p.host]\npaths = ["/"]\njob = "node"', "job needs the instance too"),
        ('[targets.p.host]\npaths = ["/"]\ninstance = "db:9100"', r"add \[targets\.….prometheus\]"),
        ("[targets.p.host]\npaths = []", "host.paths"),
    ],
)
def test_a_node_exporter_needs_its_instance_and_a_prometheus(tmp_path: Path, settings: str, words: str) -> None:
    with pytest.raises(InventoryError, match=words):
        load_inventory(written(tmp_path, settings))


@pytest.mark.parametrize("names", ["", 'deployment = "atom"\nstatefulset = "atom"'])
def test_a_runtime_on_kubernetes_names_one_workload(tmp_path: Path, names: str) -> None:
    path = tmp_path / "inventory.toml"
    path.write_text(f'[targets.production.runtime]\nkind = "kubernetes"\n{names}\n')
    with pytest.raises(InventoryError, match=r'name either deployment = "\.\.\." or statefulset = "\.\.\."'):
        load_inventory(path)


def test_the_kind_of_a_runtime_is_no_part_of_the_key_that_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "inventory.toml"
    path.write_text('[targets.production.runtime]\nkind = "systemd"\nunit = "atom-os"\nnamspace = "x"\n')
    with pytest.raises(InventoryError, match=r"targets\.production\.runtime\.namspace is not a known key"):
        load_inventory(path)


def test_a_switch_is_a_word_or_a_boolean_as_yaml_makes_it() -> None:
    switch: TypeAdapter[str] = TypeAdapter(Switch)
    assert [switch.validate_python(given) for given in ("auto", True, False)] == ["auto", "on", "off"]
    with pytest.raises(ValidationError):
        switch.validate_python("maybe")


def test_a_user_may_be_named_by_digits_alone() -> None:
    user: TypeAdapter[str] = TypeAdapter(UserName)
    assert [user.validate_python(given) for given in (42, "ann")] == ["42", "ann"]
    for nonsense in (True, 1.5, ""):
        with pytest.raises(ValidationError):
            user.validate_python(nonsense)


def test_a_flow_takes_no_target_that_no_inventory_could_name() -> None:
    with pytest.raises(ValidationError, match="should match pattern"):
        TypeAdapter(TargetName).validate_python("../production")


MIGRATIONS = '[targets.a.migrations]\ndirectory = "/srv/atom"\n'


def test_the_environment_of_migrations_is_texts_and_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_OF_ATOM", "sesame")
    text = MIGRATIONS + 'environment = { ATOM_ENV = "production", SECRET_KEY = "env:KEY_OF_ATOM" }'
    settings = load_inventory(written(tmp_path, text)).target("a").migrations
    assert settings is not None
    assert settings.environment == {"ATOM_ENV": "production", "SECRET_KEY": Secret("env:KEY_OF_ATOM", "sesame")}
    assert "sesame" not in settings.model_dump_json()
    assert load_inventory(written(tmp_path, text)).targets["a"].migrations is not None


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("environment = { PORT = 5432 }", "environment.PORT: expected a text in quotes"),
        ('environment = { "A B" = "x" }', "String should match pattern"),
        ('url_scheme = "mysql"', "url_scheme: String should match pattern"),
        ("command = []", "command: Tuple should have at least 1 item"),
    ],
)
def test_a_bad_setting_of_migrations_is_named(tmp_path: Path, line: str, words: str) -> None:
    assert words in complaint(tmp_path, MIGRATIONS + line)


def test_a_file_of_the_configuration_is_named_by_its_whole_path(tmp_path: Path) -> None:
    text = '[targets.a]\n[targets.a.configuration]\nfiles = ["atom.env"]\n'
    whole = load_inventory(written(tmp_path, text.replace("atom.env", "/etc/atom.env"))).targets["a"].configuration
    assert whole is not None
    assert whole.files == (Path("/etc/atom.env"),)
    with pytest.raises(InventoryError, match=r"configuration\.files\.0: name the whole path of atom\.env"):
        load_inventory(written(tmp_path, text))


def test_a_pattern_of_alerts_that_is_none_is_named(tmp_path: Path) -> None:
    told = complaint(tmp_path, '[targets.production.alerts]\nmatch = { namespace = "(atom" }')
    assert "alerts.match.namespace" in told
    assert "'(atom' is no regular expression" in told
