"""What an application's tables, metrics and health endpoints are called. Names are data, never constants in code."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator


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


AskedBy = Literal["postgres", "agents", "skills", "episodes", "users"]
Pair = tuple[str, str]

# What a question may take from the flow that asks it, bound by the server as %(name)s. The checklists give nothing.
# `admin_roles` are the profile's own.
PARAMETERS: Mapping[AskedBy, frozenset[str]] = {
    "postgres": frozenset(),
    "agents": frozenset({"agent", "hours", "limit"}),
    "skills": frozenset({"skill", "hours", "limit"}),
    "episodes": frozenset({"older_than_days", "limit"}),
    "users": frozenset({"user", "limit", "admin_roles"}),
}
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")


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

    `value` names the column of the first row that is judged, or is "rows" for their number. `summary`, `empty`,
    `unjudged` and `action` are format strings over the columns of the first row and the flow's parameters. No rows:
    `empty` says what they mean, and they are the value 0; `unjudged` why nothing is to be judged; without both they are
    UNKNOWN. `tables` are the relations that it reads; one that is missing makes it UNKNOWN by name.

    `parts` are the looks that ask it: the checklists' ("postgres") or those of a report. `finds` is the parameter whose
    meaning it looks up: its columns are `id`, `name`, and `exact`, which tells what is meant from what is alike.
    `needs` is a parameter without which it is not asked. `hide` are columns for the summary alone. `series` is a column
    of names and one of values that are followed beside the trend; `points` one of moments and one of values that are
    the trend itself.
    """

    code: str
    section: str
    value: str
    summary: str
    sql: str
    guarantee: str = ""
    empty: str | None = None
    unjudged: str | None = None
    unit: str = ""
    warning: float | None = None
    critical: float | None = None
    worse: Literal["higher", "lower"] = "higher"
    source: str = ""
    action: str = ""
    trend: str = ""
    tables: tuple[str, ...] = ()
    parts: tuple[AskedBy, ...] = Field(("postgres",), min_length=1)
    finds: str = ""
    needs: str = ""
    hide: tuple[str, ...] = ()
    series: Pair | None = None
    points: Pair | None = None

    @property
    def statement(self) -> str:
        """The statement without its header, whose percent signs are no placeholders."""
        return self.sql.partition("\n\n")[2]

    @property
    def parameters(self) -> frozenset[str]:
        """The names of its placeholders."""
        return frozenset(_PLACEHOLDER.findall(self.statement))

    @model_validator(mode="after")
    def _known_parameters(self) -> Self:
        asked = self.parameters | {name for name in (self.finds, self.needs) if name}
        for part in self.parts:
            if unknown := asked - PARAMETERS[part]:
                given = ", ".join(sorted(PARAMETERS[part])) or "nothing"
                message = f"the part {part} gives {given}, but not {', '.join(sorted(unknown))}"
                raise ValueError(message)
        return self


class Statement(Part):
    """An .sql file whose answer is no check by itself: one of the security audit, with parameters such as %(days)s."""

    sql: str
    tables: tuple[str, ...] = ()


class RoleTable(Part):
    """A table that holds the names of further roles."""

    table: str
    column: str


class Users(Part):
    """The application's users. Columns that a database lacks are left out, but for `id` and `role`.

    `shown` are those that people know a user by. A user may use its role when each column of `active` holds one of its
    values, as text. `admin_roles` begin with the highest; one of these must always be left.
    """

    table: str
    id: str
    role: str
    email: str | None = None
    username: str | None = None
    shown: tuple[str, ...] = ()
    updated_at: str | None = None
    active: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    roles: tuple[str, ...]
    admin_roles: tuple[str, ...] = Field(min_length=1)
    custom_roles: RoleTable | None = None


class Profile(Part):
    """Everything that differs between one application and another.

    `tables` are those whose presence tells this profile from the others, `vacuum` those that are vacuumed every week
    because they change the most, `users` whose roles can be changed. The names of `metrics` are the checks' own:
    requests, errors, latency, cache_hit_ratio, active_workers, queue_depth; one that is absent is not checked.
    database_errors, memory_used and memory_limit are those of the alerting rules. The names of `audit` are the security
    audit's: executions, hours, addresses, failed-logins; one that is absent is not looked at.
    """

    name: str
    tables: tuple[str, ...]
    vacuum: tuple[str, ...] = ()
    health: HealthPaths
    metrics: Mapping[str, Metric] = Field(default_factory=dict)
    users: Users | None = None
    questions: tuple[Question, ...] = ()
    audit: Mapping[str, Statement] = Field(default_factory=dict)
