"""What the shell completes: names of triggers, holds, slots, firings and schedulers. Never an error, never a wait."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import redirect_stderr
from io import StringIO
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from triggers.operate.target import Target


def triggers(context: typer.Context, incomplete: str) -> list[str]:
    """Names of registered triggers."""
    return _found(
        context, incomplete, lambda target: [e.trigger.name for e in target.ledger.registry.snapshot().active]
    )


def holds(context: typer.Context, incomplete: str) -> list[str]:
    """Holds that have firings."""
    return _found(context, incomplete, lambda target: target.ledger.firings.holds())


def held_firings(context: typer.Context, incomplete: str) -> list[str]:
    """Firings of the hold that was given."""
    hold = str(context.params.get("hold") or "")
    return _found(context, incomplete, lambda target: _ends(f.key for f in target.ledger.operations.held(hold)))


def dead_firings(context: typer.Context, incomplete: str) -> list[str]:
    """Dead letters."""
    return _found(context, incomplete, lambda target: _ends(f.key for f in target.ledger.operations.dead()))


def failing_firings(context: typer.Context, incomplete: str) -> list[str]:
    """Failing firings."""
    return _found(context, incomplete, lambda target: _ends(one.key for one in target.ledger.retrying.failing()))


def slots(context: typer.Context, incomplete: str) -> list[str]:
    """Slots that are held."""
    return _found(context, incomplete, lambda target: target.ledger.by_hand.slots())


def schedulers(incomplete: str) -> list[str]:
    """Schedulers by PROJECT/NAME."""
    from triggers.operate.target import titles

    return _quietly(incomplete, titles)


def _ends(keys: Iterable[str]) -> list[str]:
    from triggers.operate.selection import SHOWN

    return [key[-SHOWN:] for key in keys]


def _found(context: typer.Context, incomplete: str, read: Callable[[Target], Iterable[str]]) -> list[str]:
    from triggers.operate.target import open_target

    def look() -> list[str]:
        with open_target(context.params.get("scheduler"), start=False) as target:
            return list(read(target))

    return _quietly(incomplete, look)


def _quietly(incomplete: str, read: Callable[[], Iterable[str]]) -> list[str]:
    """What begins like the word under the cursor; nothing where there is no answer."""
    try:
        with redirect_stderr(StringIO()):
            return sorted(one for one in set(read()) if one.startswith(incomplete))
    except Exception:
        return []
