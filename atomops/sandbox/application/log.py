"""The application's log: three shapes of line in one file, as its libraries write them, rotated at 10 MB."""

import datetime as dt
import json
import logging
from collections.abc import Mapping
from logging.handlers import RotatingFileHandler
from pathlib import Path

_MAX_BYTES = 10 * 1024 * 1024
_KEPT = 5


class MixedShapes(logging.Formatter):
    """By the logger's name: `core.*` writes structlog's JSON, `services.*` its own JSON, the rest plain text."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, except for a traceback in plain text."""
        if record.name.startswith("core."):
            return json.dumps(_structlog(record))
        if record.name.startswith("services."):
            return json.dumps(_own_json(record))
        return super().format(record)


def formatter() -> MixedShapes:
    """What every handler of the application uses."""
    return MixedShapes("%(levelname)s:%(name)s:%(message)s")


def configure(path: Path) -> None:
    """Send every record of this process to the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(path, maxBytes=_MAX_BYTES, backupCount=_KEPT, encoding="utf-8")
    handler.setFormatter(formatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for chatty in ("httpx", "httpcore", "uvicorn.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def coded(code: str) -> Mapping[str, str]:
    """`extra` of a record that carries the application's error code."""
    return {"error_code": code}


def _structlog(record: logging.LogRecord) -> dict[str, str]:
    level = {"CRITICAL": "critical", "ERROR": "error", "WARNING": "warning"}.get(record.levelname, "info")
    line = {"event": record.getMessage(), "level": level, "logger": record.name}
    return line | _code(record) | {"timestamp": _when(record).strftime("%Y-%m-%dT%H:%M:%S.%fZ")}


def _own_json(record: logging.LogRecord) -> dict[str, str]:
    line = {"level": record.levelname, "message": record.getMessage(), "timestamp": _when(record).isoformat()}
    return line | {"logger": record.name} | _code(record)


def _code(record: logging.LogRecord) -> dict[str, str]:
    code = getattr(record, "error_code", None)
    return {"error_code": code} if code else {}


def _when(record: logging.LogRecord) -> dt.datetime:
    return dt.datetime.fromtimestamp(record.created, dt.UTC)
