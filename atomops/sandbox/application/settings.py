"""What the application is told: addresses and places. Passwords are read from files of their own."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter


@dataclass(frozen=True)
class Settings:
    """One JSON file. `requests_per_second` is the load that the application makes for itself."""

    port: int
    database: str
    database_password_file: Path
    redis: str
    redis_password_file: Path
    log: Path
    admin_token_file: Path
    requests_per_second: float = 12

    @property
    def database_password(self) -> str:
        """Of the application's own role."""
        return self.database_password_file.read_text(encoding="utf-8").strip()

    @property
    def redis_password(self) -> str:
        """Of the server."""
        return self.redis_password_file.read_text(encoding="utf-8").strip()

    @property
    def admin_token(self) -> str:
        """That an operator sends with a request that changes something."""
        return self.admin_token_file.read_text(encoding="utf-8").strip()


_FILE = TypeAdapter(Settings)


def read(path: Path) -> Settings:
    """The settings of a file."""
    return _FILE.validate_json(path.read_bytes())


def write(settings: Settings, path: Path) -> None:
    """A file that `read` understands."""
    path.write_bytes(_FILE.dump_json(settings, indent=2))
