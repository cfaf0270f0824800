"""Files that only the holders of a private key can read: the age format, which the command `age` reads as well."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import pyrage

from atomops.errors import AtomOpsError, BadAnswer, InventoryError, PermanentError, SecretError

SUFFIX = ".age"
_AGE_IDENTITY = "AGE-SECRET-KEY-1"
_SSH_IDENTITY = "PRIVATE KEY-----"
_NO_MATCH = "No matching keys found"  # in pyrage's words; it has one class for everything


def validate_recipients(recipients: Sequence[str]) -> None:
    """Every one of them can be encrypted for. Raises InventoryError, naming the first that cannot."""
    _recipients(recipients)


def encrypt(source: Path, into: Path, recipients: Sequence[str]) -> None:
    """`into` is the whole source, for any of the recipients to read; it does not exist when this raises.

    Streams, in bounded memory. Raises InventoryError for a bad recipient, PermanentError when a file cannot be used.
    """
    keys = _recipients(recipients)
    with _reading(source) as plain, _appearing(into) as sealed:
        reader, writer = _Watched(plain), _Watched(sealed)
        try:
            pyrage.encrypt_io(reader, writer, keys)
        except (pyrage.EncryptError, OSError) as error:
            raise (
                _unusable(source, "read", reader.error) or _unusable(into, "written", writer.error) or error
            ) from error


def decrypt(source: BinaryIO, into: Path, identity: str) -> None:
    """`into` is what was encrypted, every byte authenticated; it does not exist when this raises.

    `identity` is the text of a private key: that of age-keygen, or an OpenSSH one without a passphrase. Streams, in
    bounded memory. Raises SecretError for an identity that is none, PermanentError when it is none of the recipients,
    BadAnswer when the ciphertext is damaged or cut short, and whatever reading the source raises.
    """
    keys = _identities(identity)
    with _appearing(into) as plain:
        reader, writer = _Watched(source), _Watched(plain)
        try:
            pyrage.decrypt_io(reader, writer, keys)
        except (pyrage.DecryptError, OSError) as error:
            raise reader.error or _unusable(into, "written", writer.error) or _undecryptable(error) from error


def encrypted(content: bytes, recipients: Sequence[str]) -> bytes:
    """The content for any of the recipients to read, made in memory. Raises InventoryError for a bad recipient."""
    sealed: bytes = pyrage.encrypt(content, _recipients(recipients))
    return sealed


def decrypted(content: bytes, identity: str) -> bytes:
    """What was encrypted, in memory. Raises SecretError, PermanentError and BadAnswer as `decrypt` does."""
    keys = _identities(identity)
    try:
        plain: bytes = pyrage.decrypt(content, keys)
    except pyrage.DecryptError as error:
        raise _undecryptable(error) from error
    return plain


def _recipients(texts: Sequence[str]) -> list[object]:
    if not texts:
        raise InventoryError("there is no recipient to encrypt for", action="name one in `recipients`")
    return [_recipient(text) for text in texts]


def _recipient(text: str) -> object:
    kind = pyrage.ssh if text.startswith("ssh-") else pyrage.x25519
    try:
        key: object = kind.Recipient.from_str(text)
    except pyrage.RecipientError as error:
        what = f"the recipient {text!r} is no public key that age can encrypt for"
        action = "write the age1... of age-keygen, or an ssh-ed25519 or ssh-rsa key"
        raise InventoryError(what, action=action) from error
    return key


def _identities(text: str) -> list[object]:
    """One SSH key, or the keys of a file that age-keygen has written, which has comments as well."""
    try:
        if _SSH_IDENTITY in text:
            return [pyrage.ssh.Identity.from_buffer(f"{text.strip()}\n".encode())]
        lines = [line.strip() for line in text.splitlines() if line.strip().startswith(_AGE_IDENTITY)]
        keys: list[object] = [pyrage.x25519.Identity.from_str(line) for line in lines]
    except pyrage.IdentityError as error:
        raise _bad_identity(str(error)) from None  # without its context: nothing of the key may be shown
    if not keys:
        raise _bad_identity("it holds no private key")
    return keys


def _bad_identity(reason: str) -> SecretError:
    action = "give the AGE-SECRET-KEY-1... of age-keygen, or an OpenSSH private key without a passphrase"
    return SecretError(f"the identity cannot be used ({reason})", action=action)


def _undecryptable(error: Exception) -> AtomOpsError:
    if str(error) == _NO_MATCH:
        what = "the identity is none of the recipients of this set"
        return PermanentError(what, action="use the private key of one of those that the manifest names")
    return BadAnswer("the encrypted file is damaged or cut short", action="use another set")


class _Watched:
    """A file that remembers its own failure, which pyrage reports as one of the encryption."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.error: Exception | None = None

    def read(self, size: int = -1) -> bytes:
        with self._watching():
            return self._file.read(size)

    def write(self, piece: bytes) -> int:
        with self._watching():
            return self._file.write(piece)

    def flush(self) -> None:
        with self._watching():
            self._file.flush()

    @contextlib.contextmanager
    def _watching(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self.error = error
            raise


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise _unusable(path, "read", error) or error from error
    with file:
        yield file


@contextlib.contextmanager
def _appearing(path: Path) -> Iterator[BinaryIO]:
    """A file that is there under its name when the block has ended well, and not at all when it has not."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        file = open(partial, "wb", opener=_private)  # noqa: SIM115 - Path.open takes no opener
    except OSError as error:
        raise _unusable(path, "written", error) or error from error
    try:
        with file:
            yield file
            _name(file, partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _name(file: BinaryIO, partial: Path, path: Path) -> None:
    try:
        file.flush()
        partial.replace(path)
    except OSError as error:
        raise _unusable(path, "written", error) or error from error


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, mode=0o600)  # a dump is the whole database


def _unusable(path: Path, done: str, error: Exception | None) -> Exception | None:
    if not isinstance(error, OSError):
        return error
    action = "look at its mode, and at the free space there"
    return PermanentError(f"{path} cannot be {done} ({error.strerror or error})", action=action)
