"""What makes two error texts the same: the text without its variable parts, and without secrets."""

import re
from functools import lru_cache

LONGEST = 300  # characters of a text that tell it from others
_REDACTABLE = 4_000  # characters looked at for secrets, so that a cut cannot halve one into what looks harmless

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\s]+")
_KEY = (
    r"(?:pass(?:word|wd|phrase)?|pwd|secret|token|(?:api|access|private)[_-]?key|authorization"
    r"|cookie|credentials?|session[_-]?id)"
)
_VALUE = r"""(?:"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|(?:(?:bearer|basic|token)\s+)?\S+)"""
_SHAPES = r"\beyJ[\w-]+\.[\w-]+\.?[\w-]*|\bsk-[\w-]{16,}|\bgh[pousr]_\w{20,}|\bAKIA[0-9A-Z]{16}|\bxox[abprs]-\S+"
# Without one of the words in the lower-cased text the pattern, which is slow, need not be tried.
_SECRETS = (
    (("private key",), re.compile(r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*"), "***"),
    (("://",), re.compile(r"(\w://[^\s:/@]*):\S+@"), r"\1:***@"),
    (
        ("pass", "pwd", "secret", "token", "key", "authorization", "cookie", "credential", "session"),
        re.compile(rf"""(?i)({_KEY}\\?["']?\s*[=:]\s*){_VALUE}"""),
        r"\1***",
    ),
    (("bearer", "basic"), re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 ***"),
    (("eyj", "sk-", "gh", "akia", "xox"), re.compile(_SHAPES), "***"),
)

_DIGITS = {ord(digit): "0" for digit in "123456789"}
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_VARIABLE = (
    (re.compile(r'"[^"]*"|`[^`]*`|(?<![\w>])\'[^\']*\'(?![\w<])'), "<text>"),
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "<email>"),
    (re.compile(r"0+(?:\.0+){3}(?::0+)?|(?<![\w:])(?:[0a-fA-F]{0,4}:){2,7}[0a-fA-F]{1,4}(?![\w:])"), "<address>"),
    (re.compile(r"\b0x[0-9a-fA-F]+\b|\b(?=[a-fA-F]*0)(?=0*[a-fA-F])[0a-fA-F]{8,}\b"), "<hex>"),
    (re.compile(r"0+(?:[.,:]0+)*"), "<n>"),
)


def clean(text: str) -> str:
    """One printable line without secrets, uncut; safe to encode."""
    text = text[:_REDACTABLE].encode("utf-8", "replace").decode("utf-8")
    return redact(_CONTROL.sub(" ", text)).strip()


def redact(text: str) -> str:
    """The text with what looks like a password, token, key or cookie replaced by ***."""
    lowered = text.lower()
    for words, pattern, replacement in _SECRETS:
        if any(word in lowered for word in words):
            text = pattern.sub(replacement, text)
    return text


def shorten(text: str, length: int = LONGEST) -> str:
    """At most `length` characters; an ellipsis says that there was more."""
    return text if len(text) <= length else text[: length - 1] + "…"


def fingerprint(text: str) -> str:
    """The text with uuids, addresses, hex, numbers and quoted text masked; masking it again changes nothing."""
    return _settled(_UUID.sub("<uuid>", text[:_REDACTABLE]).translate(_DIGITS))


@lru_cache(maxsize=4_096)
def _settled(text: str) -> str:
    """Masked until nothing changes: what one mask leaves may be what another one is for."""
    before, text = None, clean(text)
    while text != before:
        before, text = text, redact(_masked(text)[:LONGEST]).strip()
    return text


def _masked(text: str) -> str:
    for pattern, placeholder in _VARIABLE:
        text = pattern.sub(placeholder, text)
    return text
