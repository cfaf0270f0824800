"""What an application's tables, metrics and health endpoints are called. Names are data, never constants in code."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        message = f"{text!r} is no regular expression: {error}"
        raise ValueError(message) from error
    return text


MetricName = Annotated[str, Field(pattern="^[a-zA-Z_:][a-zA-Z0-9_:]*$")]
LabelName = Annotated[str, Field(pattern="^[a-zA-Z_][a-zA-Z0-9_]*$")]
LabelPatterns = Mapping[LabelName, Annotated[str, AfterValidator(_pattern)]]


class Part(BaseModel):
    """Frozen, and a key that nobody knows is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class HealthPaths(Part):
    """Paths below the application's address."""

    live: str
    ready: str
    metrics: str


class Selection(Part):
    """Series of a metric. Label patterns are regular expressions over the whole value, as in PromQL.

    A series is meant when every label of `match` fits and none of `exclude` does.
    """

    name: MetricName
    match: LabelPatterns = Field(default_factory=dict)
    exclude: LabelPatterns = Field(default_factory=dict)


class Counter(Selection):
    """A number that only grows; judged as a rate."""

    kind: Literal["counter"]


class Histogram(Selection):
    """Counts by bucket, without the `_bucket` suffix; judged by its quantiles."""

    kind: Literal["histogram"]


class Gauge(Selection):
    """A number that goes up and down; its series are combined, and multiplied by `scale`."""

    kind: Literal["gauge"]
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
