"""The report as JSON, and back. What is not a number (NaN, infinity) becomes null: JSON has no word for it."""

import dataclasses
import datetime as dt
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from atomops.errors import BadAnswer
from atomops.reports.report import SCHEMA, Report, stamp

_REPORT = TypeAdapter(Report)


def to_json(report: Report) -> bytes:
    """UTF-8, indented, the schema's number first."""
    tree = {"schema": report.schema} | _plain(report)
    return orjson.dumps(tree, option=orjson.OPT_INDENT_2)


def from_json(text: bytes) -> Report:
    """The report. Raises BadAnswer for damaged text, and for a schema of a later version."""
    try:
        tree = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadAnswer(f"not a report: {error}") from error
    if not isinstance(tree, dict) or tree.get("schema") != SCHEMA:
        found = tree.get("schema") if isinstance(tree, dict) else type(tree).__name__
        action = "read it with the version of Atom Ops that wrote it"
        raise BadAnswer(f"a report of schema {found!r}, not {SCHEMA}", action=action)
    try:
        return _REPORT.validate_python(tree)
    except ValidationError as error:
        first = error.errors()[0]
        raise BadAnswer(f"not a report: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def _plain(value: object) -> Any:  # noqa: ANN401 - JSON's own types
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [field for field in dataclasses.fields(value) if field.metadata.get("reported", True)]
        return {field.name: _plain(getattr(value, field.name)) for field in fields}
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return stamp(value) if isinstance(value, dt.datetime) else value
