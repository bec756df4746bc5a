"""List filters: `["a", "-b"]`, `["__$all", "a", "__$not", "b"]`, `[null]`.

1. Without an operator any of the values will do, and `-x` excludes x.
2. `__$all` (`__$and`) and `__$any` (`__$or`) say what is meant by the values after them.
3. `__$not` excludes the next value only.
4. Any operator switches the minus off: `-x` is then a value like any other.
5. null stands for an object without a value, or with an empty list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_ALL, _ANY, _NOT = {"__$all", "__$and"}, {"__$any", "__$or"}, "__$not"


@dataclass
class Wanted:
    """A list filter, read."""

    any_of: list[Any] = field(default_factory=list)
    all_of: list[Any] = field(default_factory=list)
    none_of: list[Any] = field(default_factory=list)

    def accepts(self, values: list[Any]) -> bool:
        """True if an object with these values of the field passes."""
        if any(self._in(wanted, values) for wanted in self.none_of):
            return False
        if not all(self._in(wanted, values) for wanted in self.all_of):
            return False
        return not self.any_of or any(self._in(wanted, values) for wanted in self.any_of)

    @staticmethod
    def _in(wanted: Any, values: list[Any]) -> bool:
        return not values if wanted is None else wanted in values

    def exact(self) -> list[Any]:
        """Values one of which an object must have to pass; empty if an index is of no use."""
        if self.all_of and self.all_of[0] is not None:
            return self.all_of[:1]
        return [] if None in self.any_of else self.any_of


def read_list(value: Any) -> Wanted | None:
    """Read a list filter; a single value is a list of one. None: no filter."""
    if value is None or value == []:
        return None
    items = value if isinstance(value, list) else [value]
    operators = any(_is_operator(item) for item in items)
    wanted = Wanted()
    target, exclude = wanted.any_of, False
    for item in items:
        if _is_operator(item):
            if item == _NOT:
                exclude = True
            else:
                target = wanted.all_of if item in _ALL else wanted.any_of
        elif exclude:
            wanted.none_of.append(item)
            exclude = False
        elif not operators and isinstance(item, str) and item.startswith("-"):
            wanted.none_of.append(item[1:])
        else:
            target.append(item)
    return wanted


def _is_operator(item: Any) -> bool:
    return isinstance(item, str) and (item == _NOT or item in _ALL or item in _ANY)


def list_filter(wanted: Wanted, read: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], bool]:
    """A test for objects; `read` takes the field's value from one."""

    def passes(obj: dict[str, Any]) -> bool:
        value = read(obj)
        if value is None:
            value = []
        return wanted.accepts(value if isinstance(value, list) else [value])

    return passes
