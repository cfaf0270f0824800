from pathlib import Path

import pytest

from atomops.errors import SecretError
from atomops.secret import Secret, read_secret, secrets_in


def test_a_secret_that_was_never_read_says_so() -> None:
    with pytest.raises(SecretError, match="env:NAME has not been read"):
        Secret("env:NAME").reveal()


def test_a_block_is_for_prefect_to_read() -> None:
    with pytest.raises(SecretError, match="only Prefect can read"):
        read_secret("block:name")


def test_an_unset_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOWHERE", raising=False)
    with pytest.raises(SecretError, match="NOWHERE is not set"):
        read_secret("env:NOWHERE")


def test_a_secret_file_may_end_with_a_line_break(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("open sesame\n", encoding="utf-8")
    assert read_secret(f"file:{path}") == "open sesame"


def test_secrets_are_found_however_deep_they_lie() -> None:
    first, second, third = Secret("env:A"), Secret("env:B"), Secret("env:C")
    part = {"a": first, "b": ({"c": second}, "text", [1]), "c": type("Part", (), {})()}
    part["c"].__dict__["password"] = third
    assert list(secrets_in(part)) == [first, second, third]
