"""The application's cache, and what its own endpoints for operators are called."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from atomops.inventory.base import Seconds, Settings
from atomops.secret import SecretField

GLOB = "*?[]\\"


def _literal(prefix: str) -> str:
    found = [character for character in GLOB if character in prefix]
    if found:
        message = f"a prefix is taken literally: write it without {found[0]}"
        raise ValueError(message)
    return prefix


Prefix = Annotated[str, Field(min_length=1, max_length=512), AfterValidator(_literal)]
Endpoint = Annotated[str, Field(pattern=r"^(/|https?://)", description="a path of app.url, or a whole address")]


class Cache(Settings):
    """What may be cleared: the application's own cache by its endpoint, Redis by the prefixes of its keys."""

    clear: Endpoint = Field("/api/admin/cache/clear", description="a path of app.url, or a whole address")
    method: Literal["POST", "PUT", "DELETE"] = "POST"
    token: SecretField | None = Field(None, description="bearer token of an administrator")
    timeout: Seconds = Field(30, description="seconds that the endpoint may take")
    prefixes: tuple[Prefix, ...] = Field((), description='what may be cleared in Redis, such as "cache:", or below it')
    job_prefixes: tuple[Prefix, ...] = Field(("rq:",), description="keys of job queues, which are never cleared")
    batch: int = Field(500, ge=1, le=10_000, description="keys that SCAN looks at, and UNLINK takes, in one call")
    within: Seconds = Field(300, description="seconds for Redis, a failover in the middle included")


class Profiling(Settings):
    """The application's endpoint that switches the profiling of one agent."""

    url: Annotated[str, Field(pattern=r"^(/|https?://).*\{agent\}")] = Field(
        "/api/agents/{agent}/profile", description="a path of app.url, or a whole address, with {agent} in it"
    )
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    token: SecretField | None = Field(None, description="bearer token of an administrator")
    timeout: Seconds = Field(10, description="seconds that one request may take")
