"""Which fields of an object an answer has: all, or `only_fields`; ids of other objects become objects in get_all_ex."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import errors
from .kinds import ListedKind
from .paths import unescaped

Json = dict[str, Any]
Tree = dict[str, Any]
#: an object that is referred to, by kind and id
Lookup = Callable[[str, str], Json | None]
#: kept, but shown only to those who ask for them
_UNASKED = frozenset({"enqueue_status"})


class Projection:
    """The fields that a request asks for; refuses names that do not exist."""

    def __init__(self, kind: ListedKind, names: list[str], *, extended: bool) -> None:
        self.kind, self.extended = kind, extended
        self.tree: Tree = {}
        #: fields of the objects referred to, by reference
        self.referred: dict[str, list[str]] = {}
        for name in names:
            self._add(name)
        if self.tree and extended:
            self.tree.setdefault("id", None)

    def _add(self, name: str) -> None:
        first, _, rest = name.partition(".")
        if rest and self.extended and first in self.kind.references:
            self.referred.setdefault(first, []).append(rest)
            self.tree[first] = None
            return
        unknown = self.kind.has(name)
        if unknown:
            raise errors.unknown_field(unknown)
        node = self.tree
        *parents, last = map(unescaped, name.split("."))
        for part in parents:
            if part in node and node[part] is None:
                return  # the whole of it is asked for already
            node = node.setdefault(part, {})
        node[last] = None

    def apply(self, obj: Json, lookup: Lookup) -> Json:
        """The object as the answer has it; what is stored is not changed."""
        if self.tree:
            shown = _picked(obj, self.tree)
        elif "enqueue_status" in obj:
            shown = {field: value for field, value in obj.items() if field not in _UNASKED}
        else:
            shown = obj if not self.extended else dict(obj)
        if self.extended:
            for field, other in self.kind.references.items():
                if isinstance(shown.get(field), str):
                    shown[field] = self._referred(field, other, shown[field], lookup)
        return shown

    def _referred(self, field: str, other: str, key: str, lookup: Lookup) -> Json:
        target = lookup(other, key) or {}
        names = self.referred.get(field, ())
        return {"id": key, **{name: target[name] for name in names if name in target}}


def _picked(value: Json, tree: Tree) -> Json:
    shown: Json = {}
    for field, inner in tree.items():
        if field not in value:
            continue
        item = value[field]
        if inner is None:
            shown[field] = item
        elif isinstance(item, dict):
            shown[field] = _picked(item, inner)
        elif isinstance(item, list):
            shown[field] = [_picked(part, inner) for part in item if isinstance(part, dict)]
    return shown
