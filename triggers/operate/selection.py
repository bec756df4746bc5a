"""Firings as people name them: by key, by the end of a key as tables show it, by object or trigger."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Final, TypeVar

from triggers.base.errors import Usage
from triggers.base.meant import meant
from triggers.base.plural import named
from triggers.ledger.firings.firing import Firing
from triggers.ledger.firings.retrying import Failing
from triggers.model.parts import is_part
from triggers.operate import wording
from triggers.operate.commands import command
from triggers.operate.target import Target

#: Characters of a key that tables show: its end, since all keys of a trigger begin alike.
SHOWN: Final = 10

_PAGE: Final = 1000
#: Characters of a key or an id that say which is meant.
_LEAST: Final = 4

F = TypeVar("F", Firing, Failing)


def dead(target: Target) -> list[Firing]:
    """All dead letters, oldest first."""
    return list(_pages(lambda start: target.ledger.operations.dead(start, _PAGE)))


def held(target: Target, hold: str, limit: int | None = None) -> list[Firing]:
    """The firings of a hold, in the order of their grant: all, or the first `limit`.

    Raises:
        Usage: there is no such hold; the message lists those that there are.
    """
    known = target.ledger.firings.holds()
    if hold not in known:
        raise Usage(f"no firing is held by {hold!r}; holds: {named(known) or 'none'}{meant(hold, known)}")
    return list(islice(_pages(lambda start: target.ledger.operations.held(hold, start, _PAGE)), limit))


def _pages(read: object) -> Iterator[Firing]:
    start = 0
    while True:
        page: list[Firing] = read(start)  # type: ignore[operator]
        yield from page
        if len(page) < _PAGE:
            return
        start += _PAGE


def part_labels(target: Target, found: Collection[Firing | Failing]) -> dict[str, str]:
    """Which action of its firing each is, by key: "action 1 (webhook)"; "" for the firing itself."""
    labels, known = dict.fromkeys((one.key for one in found), ""), None
    for one in found:
        if is_part(one.key):
            known = known or target.ledger.registry.snapshot().entries
            entry = known.get(one.trigger)
            labels[one.key] = wording.part(entry.trigger if entry else None, one.key, one.action)
    return labels


def trigger_id(target: Target, name: str | None) -> str:
    """The id of the trigger whose firings are meant, a retired one included; "" where none is named."""
    return target.entry(name, retired=True).trigger.id if name else ""


def select(found: Sequence[F], words: Sequence[str], trigger: str, *, everything: bool) -> list[F]:
    """Those that are meant.

    Args:
        found: what there is.
        words: keys, ends of keys, or ids of objects.
        trigger: id of a trigger whose firings are meant, "" for those of any.
        everything: all of them are.

    Raises:
        Usage: nothing was given, or a word names no firing.
    """
    if everything and words:
        raise Usage("give firings or --all, not both")
    of_trigger = [firing for firing in found if not trigger or firing.trigger == trigger]
    if everything or (trigger and not words):
        return of_trigger
    if not words:
        raise Usage("give the end of a firing's key as listed, an object's id, --trigger NAME, or --all")
    meant: dict[str, F] = {}
    for word in words:
        fitting = [one for one in of_trigger if _is_meant(one, word)]
        if not fitting or len(word) < _LEAST:
            raise Usage(f"{word!r} is neither the end of a listed firing's key nor the beginning of its object's id")
        meant |= {one.key: one for one in fitting}
    return list(meant.values())


def refuse_failing(target: Target, words: Sequence[str]) -> None:
    """Send people who name a failing firing where a dead letter is wanted to the verb for those.

    Raises:
        Usage: a word names a failing firing and no dead letter; the message has the command.
    """
    known = dead(target) if words else []
    for word in words:
        if len(word) < _LEAST or any(_is_meant(one, word) for one in known):
            continue
        for one in target.ledger.retrying.failing():
            if _is_meant(one, word):
                retry = command("failing retry", one.key[-SHOWN:])
                raise Usage(f"firing {one.key[-SHOWN:]} is failing and not given up yet: {retry} tries it again now")


def _is_meant(one: Firing | Failing, word: str) -> bool:
    return one.key.endswith(word) or one.object.startswith(word)
