"""Muting triggers: they fire and are recorded as ever, and nobody is notified of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from triggers.base.errors import Usage
from triggers.ledger.operating.mutes import UNTIL_UNMUTED
from triggers.ledger.registry.registry import Entry
from triggers.operate.target import Target
from triggers.operate.times import iso, span_ms

_LATEST_MS = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp() * 1000)


def mute(target: Target, entries: Sequence[Entry], length: str | None) -> int:
    """Mute triggers for a length of time such as "2h", or until they are unmuted; the end of the mute in ms, or 0.

    Raises:
        Usage: the length is wrong or zero, or ends after any date.
    """
    until_ms = UNTIL_UNMUTED if length is None else target.ledger.now_ms() + _length_ms(length)
    if until_ms > _LATEST_MS:
        raise Usage(f"--for {length!r} ends too late: leave it out to mute until `unmute`")
    with target.ledger.audit.change("mute", triggers=_names(entries), until=iso(until_ms)):
        target.ledger.mutes.mute([entry.trigger.id for entry in entries], until_ms)
    return until_ms


def unmute(target: Target, entries: Sequence[Entry]) -> list[str]:
    """Notify people again; the names of those that were muted."""
    names = {entry.trigger.id: entry.trigger.name for entry in entries}
    with target.ledger.audit.change("unmute", triggers=_names(entries)) as came:
        muted = target.ledger.mutes.unmute(list(names), target.ledger.now_ms())
        came["changed"] = sorted(names[trigger] for trigger in muted)
    return list(came["changed"])


def _length_ms(text: str) -> int:
    length_ms = span_ms(text, "--for")
    if not length_ms:
        raise Usage(f"--for {text!r} is not a length of time: give one such as 90m, 2h, 1h30m")
    return length_ms


def _names(entries: Sequence[Entry]) -> list[str]:
    return sorted(entry.trigger.name for entry in entries)
