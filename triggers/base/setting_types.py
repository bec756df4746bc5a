"""Types of settings: numbers that can be calculated with, and several values in one text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from triggers.base.receivers import Allowed

# Each as large as anybody could mean it, and none so large that a time or a size made of it is more than Redis and its
# scripts can hold: "inf" would end every round that calculates with it.
#: Thirty years, in seconds.
MOST_SECONDS: Final = 1_000_000_000
#: 2,700 years, in days.
MOST_DAYS: Final = 1_000_000
#: A petabyte, in megabytes.
MOST_MEGABYTES: Final = 1_000_000_000
#: Of anything that is counted.
MOST_COUNTED: Final = 1_000_000_000

Seconds = Annotated[float, Field(le=MOST_SECONDS)]
Days = Annotated[float, Field(le=MOST_DAYS)]
Megabytes = Annotated[float, Field(le=MOST_MEGABYTES)]
Count = Annotated[int, Field(le=MOST_COUNTED)]


@dataclass(frozen=True, slots=True)
class Separated:
    """By what the values of a list are separated, as the page of settings names it."""

    by: str


def _listed(value: Any) -> Any:
    return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value


#: Several names between commas.
Ids = Annotated[tuple[str, ...], BeforeValidator(_listed), Separated("commas")]

#: Characters that a signing key has at least.
LEAST_KEY: Final = 16


def _keys(value: Any) -> Any:
    keys = tuple(value.replace(",", " ").split()) if isinstance(value, str) else value
    if any(len(key) < LEAST_KEY for key in keys):
        raise ValueError(f"a signing key has at least {LEAST_KEY} characters: make one with `openssl rand -hex 32`")
    return keys


def _receivers(value: Any) -> Any:
    names = _listed(value)
    Allowed.of(names)
    return names


#: Hosts, addresses and networks between commas.
Receivers = Annotated[tuple[str, ...], BeforeValidator(_receivers), Separated("commas")]

#: Several keys between commas or white space.
SigningKeys = Annotated[tuple[str, ...], BeforeValidator(_keys), Separated("commas")]


def _web_address(value: Any) -> Any:
    if isinstance(value, str) and not re.match(r"https?://[^/?#\s]+\S*$", value.strip(), re.IGNORECASE):
        raise ValueError("it is not an address of the web: write it as https://HOST/PATH")
    return value


#: An address that takes requests of HTTP.
WebAddress = Annotated[str, BeforeValidator(_web_address)]

#: Several addresses between white space; they may hold commas.
Addresses = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda value: tuple(value.split()) if isinstance(value, str) else value),
    Separated("spaces"),
]
