"""What an application's tables, metrics and health endpoints are called. Names are data, never constants in code."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Part(BaseModel):
    """Frozen, and a key that nobody knows is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class HealthPaths(Part):
    """Paths below the application's address."""

    live: str
    ready: str
    metrics: str


class Counter(Part):
    """A number that only grows; judged as a rate. Label patterns are regular expressions over the whole value."""

    kind: Literal["counter"]
    name: str
    match: Mapping[str, str] = Field(default_factory=dict)
    exclude: Mapping[str, str] = Field(default_factory=dict)


class Histogram(Part):
    """Counts by bucket, without the `_bucket` suffix; judged by its quantiles."""

    kind: Literal["histogram"]
    name: str
    match: Mapping[str, str] = Field(default_factory=dict)
    exclude: Mapping[str, str] = Field(default_factory=dict)


class Gauge(Part):
    """A number that goes up and down; its series are combined, and multiplied by `scale`."""

    kind: Literal["gauge"]
    name: str
    match: Mapping[str, str] = Field(default_factory=dict)
    exclude: Mapping[str, str] = Field(default_factory=dict)
    combine: Literal["sum", "avg", "min", "max"] = "sum"
    scale: float = 1


Metric = Annotated[Counter | Histogram | Gauge, Field(discriminator="kind")]


class Question(Part):
    """An .sql file: a statement, and in the comments of its header how its answer is judged.

    `value` names the column of the first row that is judged, or is "rows" for their number. `summary` and `action` are
    format strings over the columns of the first row. `empty` says what no rows mean: with it they are the value 0,
    without it UNKNOWN. `tables` are the relations that it reads; one that is missing makes it UNKNOWN by name.
    """

    code: str
    section: str
    value: str
    summary: str
    sql: str
    guarantee: str = ""
    empty: str | None = None
    unit: str = ""
    warning: float | None = None
    critical: float | None = None
    worse: Literal["higher", "lower"] = "higher"
    source: str = ""
    action: str = ""
    trend: str = ""
    tables: tuple[str, ...] = ()


class Profile(Part):
    """Everything that differs between one application and another.

    `tables` are those whose presence tells this profile from the others. The names of `metrics` are the checks' own:
    requests, errors, latency, cache_hit_ratio, active_workers, queue_depth; one that is absent is not checked.
    """

    name: str
    tables: tuple[str, ...]
    health: HealthPaths
    metrics: Mapping[str, Metric] = Field(default_factory=dict)
    questions: tuple[Question, ...] = ()
