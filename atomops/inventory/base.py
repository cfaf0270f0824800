"""What every part of the inventory is made of: frozen models, and the kinds of their values."""

from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def zone(name: str) -> str:
    """The name of a time zone that exists. Raises ValueError."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        message = f"no time zone is called {name!r}; examples: UTC, Europe/Berlin, America/New_York"
        raise ValueError(message) from error
    return name


def url(*schemes: str) -> AfterValidator:
    """An address with one of these schemes, and without a password in it."""

    def validate(address: str) -> str:
        parts = urlsplit(address)
        if parts.scheme not in schemes or not (parts.netloc or parts.path):
            message = f"expected an address such as {schemes[0]}://host"
            raise ValueError(message)
        _ = parts.port  # raises ValueError when it is no number from 0 to 65535
        if parts.password is not None:
            message = (
                f'no password in an address: write password = "env:NAME" beside it ({parts.scheme}://{parts.hostname})'
            )
            raise ValueError(message)
        return address

    return AfterValidator(validate)


Seconds = Annotated[float, Field(gt=0, le=86_400)]
HttpUrl = Annotated[str, url("https", "http"), AfterValidator(lambda address: address.rstrip("/"))]


class Settings(BaseModel):
    """The base of every part: frozen, and a key that nobody knows is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)
