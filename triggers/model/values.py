"""Types of the fields of a trigger: what each argument accepts, and the error for everything else."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache, lru_cache
from typing import Annotated, Any, Final, TypeVar, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from triggers.base.bounds import DEEPEST
from triggers.base.meant import meant
from triggers.model import patterns

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Since:
    """Declares the version of triggers since which there is a field; without it, it was always there."""

    version: int


#: The statuses of the SDK's TaskStatusEnum, legacy ones included; each means itself.
STATUSES: Final = (
    "created", "queued", "in_progress", "stopped", "published", "publishing", "closed", "failed", "completed",
    "unknown",
)  # fmt: skip
_SIGNS: Final = {"max": "max", "maximum": "max", "min": "min", "minimum": "min", "last": "last"}
_DIRECTIONS: Final = ("above", "below")


def wrong(way_out: str, argument: str = "", value: object = None) -> PydanticCustomError:
    """Build the error of one argument; without a name it is that of the field being read."""
    context: dict[str, Any] = {"way_out": _writable(way_out)}
    if argument:
        shown = _writable(value) if isinstance(value, str) else value
        context |= {"argument": _writable(argument), "value": shown}
    return PydanticCustomError("argument", "{way_out}", context)


def _writable(text: str) -> str:
    """A text in which lone surrogates are escaped: pydantic cannot put them into an error."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def since_of(value: BaseModel) -> int:
    """Give the earliest version of triggers that has all the fields of a value which say something."""
    version = int(getattr(type(value), "SINCE", 1))
    for name, default, since in _fields_of(type(value)):
        held = getattr(value, name)
        if held == default and name != "type":
            continue
        version = max(version, since)
        for each in held if isinstance(held, tuple) else (held,):
            if isinstance(each, BaseModel):
                version = max(version, since_of(each))
    return version


@cache
def _fields_of(model: type[BaseModel]) -> tuple[tuple[str, Any, int], ...]:
    """Give the name, the default and the first version of each field of a class: the same for all its values."""
    return tuple(
        (
            name,
            field.get_default(call_default_factory=True),
            max((note.version for note in field.metadata if isinstance(note, Since)), default=1),
        )
        for name, field in model.model_fields.items()
    )


@lru_cache(maxsize=1_000)
def _known(value: Any) -> Any:
    return value


def _shared(value: T) -> T:
    """Give one object for equal texts, and for equal tuples of texts: thousands of triggers name the same few."""
    return cast("T", _known(value))


def _text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise wrong("give a string")
    return value


def _project(value: Any) -> str | None:
    """A project's full name as the server keeps it: no empty parts, no blanks around a part."""
    text = _text(value)
    if text is None:
        return None
    return _shared("/".join(part for part in map(str.strip, text.split("/")) if part) or text)


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise wrong("give the trigger a name of its own")
    return value


def _flag(value: Any) -> bool:
    if value is None or isinstance(value, bool):
        return bool(value)
    raise wrong("give True, False or None")


def _texts(value: Any, example: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, (set, frozenset)):
        value = sorted(value, key=str)
    if not isinstance(value, (list, tuple)):
        raise wrong(f"give a list of strings, such as {example}")
    items = tuple(item.value if isinstance(item, Enum) else item for item in value)
    if not all(isinstance(item, str) and item for item in items):
        raise wrong(f"give a list of strings, such as {example}")
    return tuple(dict.fromkeys(items))


def _tags(value: Any) -> tuple[str, ...]:
    tags = _texts(value, "['production']")
    for tag in tags:
        if tag.startswith(("-", "__$")):
            raise wrong(
                f"tags are taken literally here, and {tag!r} is an operator of the server's filters; "
                "exclude tags with trigger_exclude_tags, ask for any of several with trigger_on_any_tags"
            )
    return tags


def _statuses(value: Any) -> tuple[str, ...]:
    statuses = _texts(value, "['failed', 'published']")
    unknown = [status for status in statuses if status not in STATUSES]
    if unknown:
        near = meant(unknown[0], STATUSES)
        raise wrong(f"unknown status {', '.join(map(repr, unknown))}; a status is one of {', '.join(STATUSES)}{near}")
    return statuses


def _pattern(value: Any) -> str | None:
    text = _text(value)
    problem = patterns.problem_of(text) if text else None
    if problem:
        raise wrong(f"not a regular expression ({problem}); escape special characters with re.escape")
    return text


def _sign(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or value not in _SIGNS:
        raise wrong(f"a sign is one of {', '.join(map(repr, _SIGNS))}{meant(value, _SIGNS)}")
    return _SIGNS[value]


def _number(value: Any, way_out: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise wrong(way_out)
    try:
        return float(value)
    except OverflowError:
        raise wrong("the number is too large") from None


def _threshold(value: Any) -> float | None:
    if value is None:
        return None
    number = _number(value, "give a number")
    if math.isnan(number):
        raise wrong(
            "no value is above or below NaN. The SDK reports NaN as 0; have the script call "
            "Logger.set_reporting_nan_value(1e30), and give 1e30 with trigger_on_sign='max'"
        )
    return number


def _minutes(value: Any) -> float:
    number = _number(value, "give a number of minutes, 0 or more")
    if not 0 <= number < math.inf:
        raise wrong("give a number of minutes, 0 or more")
    return number


def _rate(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise wrong("give a whole number of launches per minute; 0 means no limit, None the limit of the settings")
    return value


def _hours(value: Any) -> float | None:
    if value is None:
        return None
    number = _number(value, "give a number of hours, more than 0")
    if not 0 < number < math.inf:
        raise wrong("give a number of hours, more than 0")
    return number


def _count(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise wrong("give a whole number, 1 or more")
    return value


def _direction(value: Any) -> str | None:
    if value is not None and value not in _DIRECTIONS:
        raise wrong(f"give 'above' or 'below'{meant(value, _DIRECTIONS)}")
    return value  # type: ignore[no-any-return]


def one_of(*options: str) -> BeforeValidator:
    """Accept one of a few words."""

    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in options:
            raise wrong(f"give one of {', '.join(map(repr, options))}{meant(value, options)}")
        return value

    return BeforeValidator(check)


def _values(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise wrong("give a dictionary")
    result = {}
    for key, item in value.items():
        if not isinstance(key, str) or not key:
            raise wrong(f"keys must be non-empty strings, not {key!r}")
        try:
            result[key] = plain(item)
        except TypeError as error:
            raise wrong(
                f"the value of {key!r} must consist of str, int, float, bool, None, list and dict: {error}"
            ) from None
    return result


def plain(value: Any, depth: int = 0) -> Any:
    """Copy a value into what JSON can hold: tuples become lists, members of enumerations their names.

    Raises:
        TypeError: it holds something else, or is nested too deep.
    """
    if depth > DEEPEST:
        raise TypeError(f"it is nested more than {DEEPEST} deep")
    if isinstance(value, Enum):
        return str(value).partition(".")[2] or str(value)
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, (list, tuple)):
        return [plain(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {key if isinstance(key, str) else json.dumps(key): plain(item, depth + 1) for key, item in value.items()}
    raise TypeError(f"{type(value).__name__} is none of these")


def _validated(check: Callable[[Any], Any]) -> BeforeValidator:
    return BeforeValidator(check)


Text = Annotated[str | None, _validated(_text)]
Project = Annotated[str | None, _validated(_project)]
Name = Annotated[str, _validated(_name)]
Flag = Annotated[bool, _validated(_flag)]
Tags = Annotated[tuple[str, ...], _validated(_tags), AfterValidator(_shared)]
Names = Annotated[tuple[str, ...], _validated(lambda value: _texts(value, "['production']"))]
Users = Annotated[tuple[str, ...], _validated(lambda value: _texts(value, "['ann']"))]
Statuses = Annotated[
    tuple[str, ...],
    _validated(_statuses),
    AfterValidator(_shared),
    WithJsonSchema({"type": "array", "items": {"enum": list(STATUSES)}}),
]
Pattern = Annotated[str | None, _validated(_pattern)]
Sign = Annotated[str | None, _validated(_sign), WithJsonSchema({"enum": list(_SIGNS)})]
Direction = Annotated[str | None, _validated(_direction), WithJsonSchema({"enum": list(_DIRECTIONS)})]
Threshold = Annotated[float | None, _validated(_threshold)]
Minutes = Annotated[float, _validated(_minutes)]
Rate = Annotated[int | None, _validated(_rate)]
Hours = Annotated[float | None, _validated(_hours)]
Count = Annotated[int | None, _validated(_count)]
Values = Annotated[dict[str, Any], _validated(_values)]
