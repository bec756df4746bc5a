"""JSON that somebody has damaged: values of other types, missing parts, cut text, what no one would write."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

#: anything JSON may hold, and Python's NaN and infinities
JUNK: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**63, -(2**70), 10**400, float("nan"), float("inf"), -0.0, "", "\x00", "\ud800", [], {}, [[]]]),
    st.text(max_size=20),
    st.lists(st.integers() | st.text(max_size=5), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers() | st.none(), max_size=3),
)
#: which of several, whatever their number is
WHICH = st.integers(0, 2**16)

Path = tuple[Any, ...]


def places(body: Any) -> list[Path]:
    """The paths of all parts of a JSON value but the whole."""
    found: list[Path] = []
    items = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, value in items:
        found.append((key,))
        found += [(key, *rest) for rest in places(value)]
    return found


def part(body: Any, path: Path) -> Any:
    """The part at a path."""
    for key in path:
        body = body[key]
    return body


@dataclass(frozen=True)
class Damage:
    """What is done to a text; drawn without knowing it, so that examples can be repeated on other ids and times.

    `edits`: (which place, whether it is removed, what stands there instead).
    """

    how: str
    which: int
    junk: Any
    text: str
    edits: tuple[tuple[int, bool, Any], ...]

    def of(self, body: Any, allowed: Callable[[Path, bool, Any], bool] = lambda *_: True) -> str:
        """The damaged text of a JSON value; edits that are not allowed are left out."""
        whole = json.dumps(body)
        if self.how == "cut":
            return whole[: self.which % len(whole)]
        if self.how == "text":
            return self.text
        if self.how == "junk":
            return json.dumps(self.junk)
        if self.how == "deep":
            return "[" * 100_000
        copy = json.loads(whole)
        for which, removed, junk in self.edits:
            paths = [path for path in places(copy) if allowed(path, removed, junk)]
            if not paths:
                break
            path = paths[which % len(paths)]
            holder = part(copy, path[:-1])
            if removed:
                del holder[path[-1]]
            else:
                holder[path[-1]] = junk
        return json.dumps(copy)


DAMAGE = st.builds(
    Damage,
    how=st.sampled_from(["parts", "parts", "parts", "parts", "cut", "text", "junk", "deep"]),
    which=WHICH,
    junk=JUNK,
    text=st.text(max_size=50),
    edits=st.lists(st.tuples(WHICH, st.booleans(), JUNK), min_size=1, max_size=3).map(tuple),
)
