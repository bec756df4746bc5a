"""Firings that fail and are tried again: by trigger, and in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from triggers.base.plural import plural
from triggers.ledger.firings.retrying import Failing
from triggers.operate.times import span


@dataclass(frozen=True, slots=True)
class Failure:
    """The failing firings of one trigger. `failures`: of the one that failed most; `next_ms`: the next attempt."""

    firings: int
    failures: int
    next_ms: int
    reason: str


def by_trigger(found: Iterable[Failing]) -> dict[str, Failure]:
    """The failing firings summed up by trigger id."""
    groups: dict[str, list[Failing]] = {}
    for one in found:
        groups.setdefault(one.trigger, []).append(one)
    return {trigger: _summed(group) for trigger, group in groups.items()}


def _summed(group: Sequence[Failing]) -> Failure:
    worst = max(group, key=lambda one: one.failures)
    return Failure(len(group), worst.failures, min(one.due_ms for one in group), worst.reason)


def state(of: Failure, most: int, now_ms: int) -> str:
    """A trigger's state in words: `failing (7 of 10, next in 4 min)`."""
    several = f"{plural(of.firings, 'firing')}, up to " if of.firings > 1 else ""
    return f"failing ({several}{progress(of.failures, of.next_ms, most, now_ms)})"


def progress(failures: int, next_ms: int, most: int, now_ms: int) -> str:
    """How many attempts of how many have failed, and when the next is made: `7 of 10, next in 4 min`."""
    return f"{failures} of {most}, {coming(next_ms, now_ms)}"


def coming(next_ms: int, now_ms: int) -> str:
    """When the next attempt is made."""
    return f"next in {span(next_ms - now_ms)}" if next_ms - now_ms >= 1000 else "next now"
