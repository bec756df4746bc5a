"""A request for a list, read: tests that objects must pass, hints for indexes, order and page."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .. import errors
from .kinds import ListedKind
from .lists import Wanted, list_filter, read_list
from .paths import value_at, values_at
from .ranges import range_filter
from .times import Times

Json = dict[str, Any]
Test = Callable[[Json], bool]
#: more objects than this are never returned at once
PAGE_LIMIT = 500

_ANY_OF_FIELDS, _ALL_OF_FIELDS = ("_any_", "_or_"), ("_all_", "_and_")


class Query:
    """What a request of get_all or get_all_ex asks for."""

    def __init__(self, kind: ListedKind, body: Json) -> None:
        self.kind = kind
        self.tests: list[Test] = []
        #: list filters by field, for indexes
        self.wanted: dict[str, Wanted] = {}
        #: lower bound of last_change, and whether it is strict
        self.since: tuple[str, bool] | None = None
        for field, value in body.items():
            if value is not None:
                self._add(field, value)
        self.order = self._order(body.get("order_by"))
        self.start, self.stop = _page(body)

    def passes(self, obj: Json) -> bool:
        """True if an object passes all tests."""
        for test in self.tests:  # noqa: SIM110 - all() costs twice as much, and this runs for every candidate
            if not test(obj):
                return False
        return True

    def _add(self, field: str, value: Any) -> None:
        kind = self.kind
        if field in kind.lists:
            self._add_list(field, value)
        elif field in kind.patterns:
            if value != "":
                self.tests.append(_pattern([field], value, any))
        elif field in kind.times:
            self._add_times(field, value)
        elif field in kind.ranges:
            self.tests.append(range_filter(value, field, time=True))
        elif field in kind.flags:
            self.tests.append(lambda obj: obj.get(field) == value)
        elif field in _ANY_OF_FIELDS:
            self._add_fields(value, any)
        elif field in _ALL_OF_FIELDS:
            self._add_fields(value, all)
        elif "." in field:
            self._add_nested(field, value)
        elif field == "search_text":
            self.tests.append(_words(str(value)))

    def _add_list(self, field: str, value: Any) -> None:
        if field in self.kind.lists:
            _check_texts(field, value)
        wanted = read_list(value)
        if wanted is not None:
            self.wanted[field] = wanted
            read = (lambda obj: value_at(obj, field)) if "." in field else (lambda obj: obj.get(field))
            self.tests.append(list_filter(wanted, read))

    def _add_times(self, field: str, value: Any) -> None:
        if value == []:
            return
        times = Times(value, field)
        if not times:
            return
        if field == "last_change":
            self.since = times.since()
        self.tests.append(lambda obj: times.accepts(obj.get(field)))

    def _add_fields(self, value: Any, joined: Callable[[Any], bool]) -> None:
        """A condition on several fields: a pattern, or times."""
        if not isinstance(value, dict):
            raise errors.bad_value("failed parsing query field", field="_any_")
        fields = value.get("fields") or []
        if value.get("pattern") is not None:
            self.tests.append(_pattern(fields, value["pattern"], joined))
        if value.get("datetime") is not None:
            times = Times(value["datetime"], ",".join(fields))
            if times:
                self.tests.append(lambda obj: joined(times.accepts(value_at(obj, field)) for field in fields))

    def _add_nested(self, field: str, value: Any) -> None:
        """last_metrics by range; hyperparams and metadata by lists; runtime matches nothing; others are ignored."""
        first = field.partition(".")[0]
        if first == "last_metrics":
            self.tests.append(range_filter(value, field, time=False))
        elif first in ("hyperparams", "metadata"):
            self._add_list(field, value)
        elif first == "runtime":
            self.tests.append(lambda _: False)

    def _order(self, names: Any) -> list[tuple[str, bool]]:
        order = []
        for name in [names] if isinstance(names, str) else names or []:
            path = name.lstrip("+-")
            unknown = self.kind.has(path)
            if unknown:
                raise errors.unknown_field(unknown)
            order.append((path, name.startswith("-")))
        return order


def _check_texts(field: str, value: Any) -> None:
    """Refuse a list filter with a value that is not a text; null is one."""
    for item in value if isinstance(value, list) else [value]:
        if item is not None and not isinstance(item, str):
            raise errors.bad_value("invalid value type, string expected", field=field, value=item)


def _pattern(fields: list[str], pattern: Any, joined: Callable[[Any], bool]) -> Test:
    """A test for objects whose fields (any or all of them) have a part that matches the expression."""
    try:
        search = re.compile(pattern).search
    except (re.error, TypeError) as error:
        raise errors.bad_pattern(error) from error
    if len(fields) == 1 and "." not in fields[0]:
        only = fields[0]
        return lambda obj: isinstance(value := obj.get(only), str) and search(value) is not None
    paths = [field.split(".") for field in fields]

    def found(obj: Json, parts: list[str]) -> bool:
        return any(isinstance(value, str) and search(value) for value in values_at(obj, parts))

    return lambda obj: joined(found(obj, parts) for parts in paths)


def _words(text: str) -> Test:
    """A test for objects that have one of the words in their names or descriptions."""
    words = text.lower().split()
    fields = ("id", "name", "comment", "description", "uri")
    return lambda obj: any(word in str(obj.get(field, "")).lower() for word in words for field in fields)


def _page(body: Json) -> tuple[int, int]:
    """First and last position of the page that is asked for."""
    page, size = body.get("page"), body.get("page_size")
    page = 0 if page is None else page
    size = PAGE_LIMIT if size is None else size
    for name, value, least, rule in (("page", page, 0, ">=0"), ("page_size", size, 1, ">0")):
        if not isinstance(value, int):
            raise errors.invalid_request(f"error for field '{name}': value is wrong, expected type \"int\"")
        if value < least:
            raise errors.invalid_request(f"{name} must be {rule}", field=name)
    size = min(size, PAGE_LIMIT)
    return page * size, (page + 1) * size
