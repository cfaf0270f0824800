"""Encryption at rest, against the real `age` and real SSH keys."""

import contextlib
import io
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from atomops.backup.encryption import decrypt, encrypt, validate_recipients
from atomops.errors import BadAnswer, InventoryError, PermanentError, SecretError, Unreachable
from tests import servers

TEXT = b"CREATE TABLE a (secret text);\n" * 20_000
LARGE = 300_000_000
MEMORY = 100 << 20  # bytes, of a whole process


def _age_key() -> tuple[str, str]:
    key = pyrage.x25519.Identity.generate()
    return str(key.to_public()), str(key)


def _ssh_key(key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> tuple[str, str]:
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    return f"{public} somebody@somewhere", private.strip()  # as a secret is read


KINDS: dict[str, Callable[[], tuple[str, str]]] = {
    "age": _age_key,
    "ssh-ed25519": lambda: _ssh_key(ed25519.Ed25519PrivateKey.generate()),
    "ssh-rsa": lambda: _ssh_key(rsa.generate_private_key(65_537, 2048)),
}


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    path = tmp_path / "plain.sql"
    path.write_bytes(TEXT)
    return path


def _sealed(plain: Path, *recipients: str) -> bytes:
    encrypt(plain, plain.with_suffix(".age"), recipients)
    return plain.with_suffix(".age").read_bytes()


def _opened(sealed: bytes, into: Path, identity: str) -> bytes:
    decrypt(io.BytesIO(sealed), into, identity)
    return into.read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_whoever_holds_the_private_key_reads_every_byte(plain: Path, tmp_path: Path, kind: str) -> None:
    recipient, identity = KINDS[kind]()
    sealed = _sealed(plain, recipient)

    assert b"CREATE" not in sealed
    assert _opened(sealed, tmp_path / "out", identity) == TEXT
    assert (tmp_path / "out").stat().st_mode & 0o077 == 0


def test_each_of_several_recipients_can_read_it(plain: Path, tmp_path: Path) -> None:
    keys = [make() for make in KINDS.values()]
    sealed = _sealed(plain, *(recipient for recipient, _ in keys))

    for number, (_, identity) in enumerate(keys):
        assert _opened(sealed, tmp_path / f"{number}", identity) == TEXT


def test_an_empty_file_is_encrypted_too(plain: Path, tmp_path: Path) -> None:
    recipient, identity = _age_key()
    plain.write_bytes(b"")

    assert _opened(_sealed(plain, recipient), tmp_path / "out", identity) == b""


def test_the_command_age_reads_what_we_encrypt_and_we_read_what_it_does(plain: Path, tmp_path: Path) -> None:
    age = servers.required(servers.age)
    keygen = servers.required(lambda: servers.age("age-keygen"))
    subprocess.run([keygen, "-o", tmp_path / "key.txt"], check=True, capture_output=True)
    key_file = (tmp_path / "key.txt").read_text()
    recipient = next(line for line in key_file.splitlines() if "public key" in line).split()[-1]

    _sealed(plain, recipient)
    told = subprocess.run(
        [age, "--decrypt", "-i", tmp_path / "key.txt", plain.with_suffix(".age")], check=True, capture_output=True
    )
    assert told.stdout == TEXT

    subprocess.run([age, "-r", recipient, "-o", tmp_path / "theirs.age", plain], check=True, capture_output=True)
    assert _opened((tmp_path / "theirs.age").read_bytes(), tmp_path / "out", key_file) == TEXT


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ssh-rsa"])
def test_the_command_age_reads_what_we_encrypt_for_an_ssh_key(plain: Path, tmp_path: Path, kind: str) -> None:
    age = servers.required(servers.age)
    recipient, identity = KINDS[kind]()
    (tmp_path / "id").write_text(f"{identity}\n")
    (tmp_path / "id").chmod(0o600)
    _sealed(plain, recipient)

    told = subprocess.run(
        [age, "--decrypt", "-i", tmp_path / "id", plain.with_suffix(".age")], check=True, capture_output=True
    )
    assert told.stdout == TEXT


@pytest.mark.parametrize("kind", KINDS)
def test_an_identity_that_is_none_of_the_recipients_says_so(plain: Path, tmp_path: Path, kind: str) -> None:
    sealed = _sealed(plain, _age_key()[0])
    _, stranger = KINDS[kind]()

    with pytest.raises(PermanentError, match="none of the recipients") as caught:
        _opened(sealed, tmp_path / "out", stranger)

    assert not isinstance(caught.value, BadAnswer)
    assert list(tmp_path.glob("*out*")) == []


@pytest.mark.parametrize(
    "make",
    [
        lambda: "age1xyz",
        lambda: "ssh-ed25519 AAAA",
        lambda: "ssh-",
        lambda: _ssh_key(ec.generate_private_key(ec.SECP256R1()))[0],
        lambda: _age_key()[0][:-3] + "bbb",
        lambda: "",
    ],
    ids=["short age", "short ssh", "ssh", "ecdsa", "wrong checksum", "empty"],
)
def test_a_bad_recipient_is_named(plain: Path, tmp_path: Path, make: Callable[[], str]) -> None:
    bad = make()
    good = _age_key()[0]
    validate_recipients([good])

    with pytest.raises(InventoryError) as caught:
        validate_recipients([good, bad])
    assert repr(bad) in str(caught.value)
    with pytest.raises(InventoryError):
        encrypt(plain, tmp_path / "out", [good, bad])
    assert not (tmp_path / "out").exists()


def test_nothing_is_encrypted_for_nobody(plain: Path, tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match="no recipient"):
        encrypt(plain, tmp_path / "out", [])


@pytest.mark.parametrize("identity", ["AGE-SECRET-KEY-1QQQQ", "hunter2", "# created: yesterday", ""])
def test_a_bad_identity_is_refused_and_never_shown(plain: Path, tmp_path: Path, identity: str) -> None:
    sealed = _sealed(plain, _age_key()[0])

    with pytest.raises(SecretError) as caught:
        _opened(sealed, tmp_path / "out", identity)
    error: BaseException | None = caught.value
    while error is not None:
        assert not identity or identity not in f"{error!r}"
        error = error.__cause__ or error.__context__


def test_an_ssh_key_with_a_passphrase_says_what_it_needs(plain: Path, tmp_path: Path) -> None:
    keygen = servers.required(lambda: servers.debian_program("ssh-keygen", "openssh-client"))
    path = tmp_path / "id"
    subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "a passphrase", "-f", path], check=True)

    with pytest.raises(SecretError, match="without a passphrase"):
        _opened(_sealed(plain, _age_key()[0]), tmp_path / "out", path.read_text())


def test_damage_anywhere_is_noticed_and_leaves_nothing(plain: Path, tmp_path: Path) -> None:
    recipient, identity = _age_key()
    sealed = _sealed(plain, recipient)
    step = len(sealed) // 60
    for place in range(60):
        flipped = bytearray(sealed)
        flipped[place * step + place % step] ^= 1 << place % 8
        for damaged in (bytes(flipped), sealed[: place * step]):
            with pytest.raises(PermanentError):
                _opened(damaged, tmp_path / "out", identity)
            assert list(tmp_path.glob("*out*")) == []


@pytest.mark.parametrize("damaged", [b"", b"PGDMP" * 1_000])
def test_what_was_never_encrypted_is_damaged(tmp_path: Path, damaged: bytes) -> None:
    with pytest.raises(BadAnswer, match="damaged or cut short"):
        _opened(damaged, tmp_path / "out", _age_key()[1])


@pytest.mark.parametrize("after", [0, 200_000])
def test_a_source_that_breaks_off_raises_its_own_error(plain: Path, tmp_path: Path, after: int) -> None:
    recipient, identity = _age_key()
    sealed = _sealed(plain, recipient)

    class Breaking(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() >= after:
                raise Unreachable("the store s3://atom has broken the connection off")
            return super().read(size)

    with pytest.raises(Unreachable, match="s3://atom"):
        decrypt(Breaking(sealed), tmp_path / "out", identity)
    assert list(tmp_path.glob("*out*")) == []


def test_a_source_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="nothing"):
        encrypt(tmp_path / "nothing", tmp_path / "out", [_age_key()[0]])


@contextlib.contextmanager
def _files_up_to(size: int) -> Iterator[None]:
    """As on a full disk: no file grows beyond `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_is_full_is_named_and_nothing_is_left_on_it(plain: Path, tmp_path: Path) -> None:
    recipient, identity = _age_key()
    sealed = _sealed(plain, recipient)

    with _files_up_to(100_000):
        with pytest.raises(PermanentError, match="out cannot be written"):
            encrypt(plain, tmp_path / "out", [recipient])
        with pytest.raises(PermanentError, match="out cannot be written") as caught:
            decrypt(io.BytesIO(sealed), tmp_path / "out", identity)

    assert not isinstance(caught.value, BadAnswer)
    assert list(tmp_path.glob("*out*")) == []


def test_a_folder_that_is_missing_is_named(plain: Path, tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="nowhere/out cannot be written"):
        encrypt(plain, tmp_path / "nowhere" / "out", [_age_key()[0]])


def test_a_large_file_takes_little_memory(tmp_path: Path) -> None:
    recipient, identity = _age_key()
    with (tmp_path / "large").open("wb") as file:
        file.truncate(LARGE)
    script = (
        "import sys; from pathlib import Path; from atomops.backup.encryption import decrypt, encrypt;"
        "from tests.publishing import peak; home = Path(sys.argv[1]);"
        "encrypt(home / 'large', home / 'sealed', [sys.argv[2]]);"
        "decrypt((home / 'sealed').open('rb'), home / 'back', sys.stdin.read()); print(peak())"
    )

    told = subprocess.run(
        [sys.executable, "-c", script, tmp_path, recipient], input=identity.encode(), check=True, capture_output=True
    )

    assert (tmp_path / "back").stat().st_size == LARGE
    assert int(told.stdout) < MEMORY
