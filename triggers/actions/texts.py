"""References inside the texts of actions: `${object.name}`, `${trigger.name}`, `${env:TOKEN}` and their like.

`$${...}` stands for a literal `${...}`. Pure: what a reference stands for is given. Secrets are a part of their own
(`sending.secrets`), and only some texts may hold them.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from triggers.model.events import Event, metric_key
from triggers.model.kinds import Kind

#: What every action may refer to; a metric is named in brackets.
NAMES: Final = (
    "object.id", "object.name", "object.project", "object.url", "object.status", "object.tags",
    "trigger.name", "firing.key", "firing.at", "launched.id", "launched.url",
)  # fmt: skip
_METRIC_EXAMPLE: Final = "object.metric[title/series]"

_REFERENCE: Final = re.compile(r"\$(\$?)\{([^{}]*)\}")
_OPEN: Final = re.compile(r"(?<!\$)\$\{[^{}]*(?:\{|$)")
_METRIC: Final = re.compile(r"object\.metric\[([^/\]]+(?:/[^/\]]+)+)\]")
_SECRET: Final = re.compile(r"(?:env|file):.*", re.DOTALL)


def references(value: Any) -> Iterator[str]:
    """The names that the strings of a value refer to, at any depth."""
    for text in texts_in(value):
        for match in _REFERENCE.finditer(text):
            if not match[1]:
                yield match[2]


def metrics_in(value: Any) -> list[str]:
    """The metrics that a value refers to, as "title/series"."""
    return [found[1] for name in references(value) if (found := _METRIC.fullmatch(name))]


def problem_of(value: Any, *, kind: Kind | None = None, secrets: bool = False) -> str:
    """What is wrong with the references of a value, and what to do; "" if nothing is.

    Args:
        value: with strings at any depth.
        kind: of the trigger, if it is known yet: not every object has everything.
        secrets: whether `${env:NAME}` and `${file:NAME}` may stand here.
    """
    for text in texts_in(value):
        if _OPEN.search(text):
            return "a reference that begins with ${ has no }; write $${ for a literal ${"
    for name in references(value):
        if _SECRET.fullmatch(name):
            if not secrets:
                return f"${{{name}}} is a secret, which this text cannot contain: secrets go into url, headers and body"
        elif name.startswith("object.metric") and not _METRIC.fullmatch(name):
            return f"unknown reference ${{{name}}}; did you mean ${{{_METRIC_EXAMPLE}}}?"
        elif name not in NAMES and not _METRIC.fullmatch(name):
            return f"unknown reference ${{{name}}}; {_suggestion(name)}"
        elif kind == "model" and _METRIC.fullmatch(name):
            return f"${{{name}}}: a model has no metrics; leave it out"
    return ""


def _suggestion(name: str) -> str:
    own = re.fullmatch(r"(?:task|model|dataset)\.(\w+)", name)
    near = [f"object.{own[1]}"] if own and f"object.{own[1]}" in NAMES else difflib.get_close_matches(name, NAMES, 1)
    known = ", ".join(f"${{{each}}}" for each in (*NAMES, _METRIC_EXAMPLE))
    return f"did you mean ${{{near[0]}}}?" if near else f"there are {known}"


def fill(value: Any, found: Callable[[str], str]) -> Any:
    """Copy a value with every reference in its strings replaced; keys stay as they are."""

    def one(match: re.Match[str]) -> str:
        return match[0][1:] if match[1] else found(match[2])

    return map_texts(value, lambda text: _REFERENCE.sub(one, text))


def values_of(
    event: Event, *, url: str, trigger: str, firing: str, at: str, launched: str = "", launched_url: str = ""
) -> dict[str, str]:
    """What each name stands for. A model is `published` or `draft`; tags stand between commas."""
    status = event.status or ("published" if event.ready else "draft") if event.kind == "model" else event.status
    return {
        "object.id": event.id,
        "object.name": event.name,
        "object.project": event.project,
        "object.url": url,
        "object.status": status,
        "object.tags": ", ".join(event.tags),
        "trigger.name": trigger,
        "firing.key": firing,
        "firing.at": at,
        "launched.id": launched,
        "launched.url": launched_url,
    }


def lookup(values: Mapping[str, str], metrics: Mapping[str, float | None]) -> Callable[[str], str]:
    """What a reference stands for; a metric that the object does not have is "none"."""

    def found(name: str) -> str:
        metric = _METRIC.fullmatch(name)
        if not metric:
            return values[name]
        return next((shown(metrics[key]) for key in keys_of(metric[1]) if key in metrics), "none")

    return found


def keys_of(metric: str) -> list[str]:
    """The keys that "title/series" may have among metrics: a title or a series may hold a slash itself."""
    parts = metric.split("/")
    return [metric_key("/".join(parts[:cut]), "/".join(parts[cut:])) for cut in range(1, len(parts))]


def shown(number: float | None) -> str:
    """A number as people write it: 3, 0.25, nan."""
    if number is None:
        return "none"
    return str(int(number)) if math.isfinite(number) and number == int(number) and abs(number) < 1e15 else repr(number)


def keys_in(value: Any) -> Iterator[str]:
    """The keys of a value, at any depth, in which nothing is replaced."""
    if isinstance(value, Mapping):
        yield from map(str, value)
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from keys_in(item)


def texts_in(value: Any) -> Iterator[str]:
    """The strings of a value, at any depth, without those of keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from texts_in(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from texts_in(item)


def map_texts(value: Any, change: Callable[[str], str]) -> Any:
    """Copy a value with its strings changed, at any depth."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key: map_texts(item, change) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [map_texts(item, change) for item in value]
    return value
