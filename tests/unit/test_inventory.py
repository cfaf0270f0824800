import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomops.errors import InventoryError, NotThere
from atomops.inventory import Inventory, load_inventory
from atomops.secret import read_secret

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
