"""How a set of the configuration is restored by hand, with `age` and `kubectl` alone."""

from shlex import quote

from atomops.facts.backup import Manifest
from atomops.facts.configuration import Configuration

_AGE = ".age"
NOTHING = Configuration("", ())


def by_hand(manifest: Manifest, folder: str = ".") -> list[str]:
    """The commands, in the order in which they are to be given."""
    known = manifest.configuration or NOTHING
    return [
        line for each in known.items for line in _commands(f"{folder}/{each.path}", each.kind, each.name, each.mode)
    ]


def instructions(manifest: Manifest) -> str:
    """What somebody needs who has this set, `age`, `kubectl`, and nothing else."""
    known = manifest.configuration or NOTHING
    commands = "\n".join(f"  {line}" for line in by_hand(manifest))
    lacking = "\n".join(f"  {each.name}: {each.why}: {each.reason}" for each in known.not_taken) or "  nothing"
    keys = "\n".join(f"  {each}" for each in manifest.encrypted_for) or "  nobody: nothing secret is in it"
    at = f"{manifest.at:%Y-%m-%d %H:%M:%S %Z}"
    return f"""The configuration of {manifest.target} ({known.runtime}), as it was at {at}.

manifest.json says what is in it: every object and file, and every file's SHA-256. key.txt is the private key of one of

{keys}

To restore it, in this folder, in this order:

{commands}

Not in it:

{lacking}
"""


def _commands(path: str, kind: str, name: str, mode: str) -> list[str]:
    is_sealed, path = path.endswith(_AGE), quote(path)
    if kind == "container":
        return [f"age -d -i key.txt {path}   # {name}: to be read, not applied"] if is_sealed else []
    if kind == "file":
        target = f"install -m {mode} /dev/stdin {quote(name)}"
        return [f"age -d -i key.txt {path} | {target}" if is_sealed else f"{target} < {path}"]
    return [f"age -d -i key.txt {path} | kubectl apply -f -" if is_sealed else f"kubectl apply -f {path}"]
