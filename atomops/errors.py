"""One root for every error; permanent ones end the work, temporary ones may be tried again.

Each error says what failed and where, and carries the next step as `action`.
"""


class AtomOpsError(Exception):
    """The root. `str(error)` is one line without secrets: what happened, where, and what to do."""

    def __init__(self, what: str, *, action: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.action = action

    def __str__(self) -> str:
        return f"{self.what}: {self.action}" if self.action else self.what


class PermanentError(AtomOpsError):
    """Trying again changes nothing: a wrong password, a missing table, a bad setting."""


class TemporaryError(AtomOpsError):
    """The same call may succeed later: a refused connection, a time-out, a busy server."""


class InventoryError(PermanentError, ValueError):
    """The inventory cannot be used: names the file and the key."""


class SecretError(PermanentError, LookupError):
    """A secret reference leads nowhere. Names the reference, never a value."""


class AccessDenied(PermanentError, PermissionError):
    """The server answered and refused us: password, certificate, grant."""


class BadAnswer(PermanentError, ValueError):
    """The server answered something that its protocol does not allow, such as HTML where JSON belongs."""


class NotThere(PermanentError, LookupError):
    """What was asked for does not exist: a database, a file, a flow, a program."""


class Unreachable(TemporaryError, ConnectionError):
    """Nobody answers at the address: refused, reset, no route, unknown host."""


class TimedOut(TemporaryError, TimeoutError):
    """No answer within the time allowed; the work was abandoned, not finished."""


class CommandFailed(PermanentError, RuntimeError):
    """A program ended with an exit code other than 0; carries the tail of its stderr."""

    def __init__(self, what: str, *, exit_code: int, stderr: str, action: str = "") -> None:
        super().__init__(what, action=action)
        self.exit_code = exit_code
        self.stderr = stderr


def is_temporary(error: BaseException) -> bool:
    """Whether the same call may succeed when it is made again."""
    return isinstance(error, TemporaryError)
