"""Objects as YAML that every reader takes for the same, and back."""

from typing import Any

import yaml

Json = dict[str, Any]
_BASE: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


class _Dumper(_BASE):  # type: ignore[misc]  # whichever of the two there is
    """Quotes what another reader of YAML could take for a number, a time or a yes: 1e3, 12:30, on."""


def _text(dumper: Any, text: str) -> Any:  # noqa: ANN401 - as the library has it
    style = "|" if "\n" in text else None if _is_plain(text) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _is_plain(text: str) -> bool:
    return bool(text) and text[0].isalpha() and set(text) <= _PLAIN and text.lower() not in _WORDS


_Dumper.add_representer(str, _text)


def as_yaml(document: Json) -> bytes:
    """One document, its keys in their order. Raises ValueError when it would not be read as the same."""
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1 << 30)
    if from_yaml(text.encode()) != document:
        message = f"{document.get('kind')} cannot be written as YAML that is read as the same"
        raise ValueError(message)
    return text.encode()


def from_yaml(text: bytes) -> Any:  # noqa: ANN401 - whatever it holds
    """What one document holds. Raises ValueError."""
    try:
        return yaml.load(text.decode(), Loader=_LOADER)  # noqa: S506 - a safe loader, in C
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        message = "it is no YAML"  # without its context, which would show what it holds
        raise ValueError(message) from error
