"""Large plain files, read from the events of libyaml: a fifth of the time that PyYAML's own loader takes.

Plain is what `export` writes and people mostly do: no anchors, tags, merged or repeated keys. Whatever is not plain,
too much, or wrong is left to the full loader in `document`, which says where it stands.
"""

from __future__ import annotations

from typing import Any, Final

import yaml

from triggers.base.bounds import DEEPEST, MOST_VALUES

#: Smaller files are read by the full loader in no time, characters.
LARGE: Final = 50_000
#: Keys that mean more than they say.
_SPECIAL: Final = ("tag:yaml.org,2002:merge", "tag:yaml.org,2002:value")
_NO_KEY: Final = object()


class NotPlain(Exception):
    """A document that the full loader has to read."""


def read(text: str, most_values: int = MOST_VALUES) -> Any:
    """What a plain document says, of no more than `most_values` values.

    Raises:
        NotPlain: it is not plain, too much, or there is no libyaml here.
    """
    if not yaml.__with_libyaml__:
        raise NotPlain
    try:
        return _Reader(most_values).read(text)
    except NotPlain:
        raise
    except Exception as fault:  # the full loader says what is wrong, in its own words
        raise NotPlain from fault


class _Reader:
    """Puts values together as the events come."""

    def __init__(self, most_values: int) -> None:
        self._most_values = most_values
        self._full: Any = yaml.SafeLoader("")
        self._scalars: dict[str, Any] = {}
        #: what the present value lies in, the outermost first
        self._open: list[Any] = []
        #: the key that waits for its value, of each open mapping
        self._keys: dict[int, Any] = {}

    def read(self, text: str) -> Any:
        root: list[Any] = []
        into, number = root, 0
        event: Any
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            kind = type(event)
            if kind is yaml.ScalarEvent:
                value = self._scalar(event)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                if event.anchor or not event.implicit:
                    raise NotPlain
                value = {} if kind is yaml.MappingStartEvent else []
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                into = self._open.pop()
                continue
            elif kind is yaml.AliasEvent:
                raise NotPlain
            else:
                continue
            number += 1
            self._put(into, value)
            if kind is not yaml.ScalarEvent:
                self._open.append(into)
                into = value
            if number > self._most_values or len(self._open) > DEEPEST or len(root) > 1:
                raise NotPlain
        return root[0] if root else None

    def _put(self, into: Any, value: Any) -> None:
        if type(into) is list:
            into.append(value)
        elif (key := self._keys.pop(id(into), _NO_KEY)) is not _NO_KEY:
            into[key] = value
        elif value in into:  # a list or mapping as key is a TypeError here
            raise NotPlain
        else:
            self._keys[id(into)] = value

    def _scalar(self, event: Any) -> Any:
        text = event.value
        if event.anchor:
            raise NotPlain
        if not event.implicit[0]:
            if not event.implicit[1]:
                raise NotPlain
            return text  # quoted
        if text not in self._scalars:
            tag = self._full.resolve(yaml.ScalarNode, text, (True, False))
            if tag in _SPECIAL:
                raise NotPlain
            self._scalars[text] = self._full.construct_object(yaml.ScalarNode(tag, text))
        return self._scalars[text]
