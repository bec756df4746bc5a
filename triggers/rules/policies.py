"""Whether a match or a mismatch grants a firing: `fire` as a state machine over one mark. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from triggers.base.exhaustive import assert_never

if TYPE_CHECKING:
    from triggers.model import Policy

FireMode = Literal["once", "on_transition", "while_true"]

MS_PER_MINUTE = 60_000

#: A change stamped later than the server's time when it was read, by more than this, was stamped before the server's
#: clock was set back: the clocks of a server's replicas differ by less, ms. Once that is known, `latest_stamp` counts.
STAMP_TOLERANCE_MS = 30_000


@dataclass(frozen=True, slots=True)
class Mark:
    """What a trigger remembers of one object.

    Args:
        occurrence: firings granted so far; part of the idempotency key of the next.
        active: the condition held when last looked at, and that occurrence was not released by a skip.
        changed_ms: change time of the newest event that altered the mark.
        fired_ms: change time of the event that was granted last, 0 for none.
        stored: the text that it was read from; another spelling of the same than ours, where people have edited it.
    """

    occurrence: int = 0
    active: bool = False
    changed_ms: int = 0
    fired_ms: int = 0
    stored: str = field(default="", compare=False)

    def to_text(self) -> str:
        """The text kept in Redis; `finish.lua` knows it too."""
        return f"{self.occurrence}:{int(self.active)}:{self.changed_ms}:{self.fired_ms}"

    @classmethod
    def from_text(cls, text: str) -> Mark:
        """Read the text kept in Redis; an empty one is the mark of an object never seen.

        Raises:
            ValueError: it is not a mark.
        """
        if not text:
            return cls()
        occurrence, active, changed_ms, fired_ms = text.split(":")
        return cls(int(occurrence), active == "1", int(changed_ms), int(fired_ms), text)


@dataclass(frozen=True, slots=True)
class Decision:
    """The mark from now on, whether that differs from before, and the occurrence granted (None: no firing)."""

    mark: Mark
    changed: bool
    occurrence: int | None


def decide(  # noqa: RET503 (it ends with assert_never)
    mode: FireMode, cooldown_ms: int, mark: Mark, *, matched: bool, changed_ms: int, latest_ms: int | None = None
) -> Decision:
    """Decide on one event of one object.

    A change not newer than the one that altered the mark last decides nothing: a late or repeated delivery
    neither fires nor disarms, and a change whose firing was skipped is not considered again, only the next.
    But of one time, what was read last is how the object is: it disarms. A mark from before the server's clock was set
    back is older than what was stamped since; a cooldown is counted from there again.

    Args:
        mode: `once`, `on_transition` or `while_true`.
        cooldown_ms: for `while_true`: least time between the changes of two firings.
        mark: what is remembered.
        matched: the condition holds for the event.
        changed_ms: the event's change time.
        latest_ms: the latest time that a change can have got from the server's clock, None if unknown.
    """
    if latest_ms is not None and changed_ms <= latest_ms < max(mark.changed_ms, mark.fired_ms):
        return _after_a_step(mode, cooldown_ms, mark, matched=matched, changed_ms=changed_ms)
    stay = Decision(mark, changed=False, occurrence=None)
    if not matched:
        if mark.active and mode == "on_transition" and changed_ms >= mark.changed_ms:
            return Decision(replace(mark, active=False, changed_ms=changed_ms), changed=True, occurrence=None)
        return stay
    if mark.occurrence and changed_ms <= mark.changed_ms:
        return stay
    match mode:
        case "once":  # `fired_ms`: it fired under a repeating mode that the trigger had before, and was not skipped
            return stay if mark.active or mark.fired_ms else _fire(max(1, mark.occurrence), changed_ms)
        case "on_transition":
            if not mark.active:
                return _fire(mark.occurrence + 1, changed_ms)
            return Decision(replace(mark, changed_ms=changed_ms), changed=True, occurrence=None)
        case "while_true":
            if mark.fired_ms and changed_ms - mark.fired_ms < cooldown_ms:
                return stay
            return _fire(mark.occurrence + 1, changed_ms)
        case other:
            assert_never(other)


def arm(mark: Mark, changed_ms: int) -> Decision:
    """Decide on a trigger's own edit after which its `on_transition` condition holds: it is seen, and fires nothing.

    Otherwise the next change by anybody would fire for what the trigger itself has made true.
    """
    if changed_ms <= mark.changed_ms:
        return Decision(mark, changed=False, occurrence=None)
    return Decision(replace(mark, active=True, changed_ms=changed_ms), changed=True, occurrence=None)


def _after_a_step(mode: FireMode, cooldown_ms: int, mark: Mark, *, matched: bool, changed_ms: int) -> Decision:
    """Decide on the first change of an object that is stamped after the server's clock was set back."""
    if mode == "while_true" and matched and cooldown_ms and mark.fired_ms > changed_ms:
        return Decision(replace(mark, changed_ms=changed_ms, fired_ms=changed_ms), changed=True, occurrence=None)
    older = replace(mark, changed_ms=min(mark.changed_ms, changed_ms - 1), fired_ms=min(mark.fired_ms, changed_ms))
    decision = decide(mode, cooldown_ms, older, matched=matched, changed_ms=changed_ms)
    return decision if decision.changed else replace(decision, mark=mark)


def decide_by(policy: Policy, mark: Mark, *, matched: bool, changed_ms: int, latest_ms: int | None = None) -> Decision:
    """Decide on one event by a trigger's policy; see `decide`."""
    cooldown_ms = int(policy.cooldown_minutes * MS_PER_MINUTE)
    return decide(policy.fire, cooldown_ms, mark, matched=matched, changed_ms=changed_ms, latest_ms=latest_ms)


def limit_of(policy: Policy, default: int) -> int:
    """Launches a minute that a trigger may make, 0 for no limit; `default` is that of the settings."""
    return default if policy.max_per_minute is None else policy.max_per_minute


def _fire(occurrence: int, changed_ms: int) -> Decision:
    return Decision(Mark(occurrence, True, changed_ms, changed_ms), changed=True, occurrence=occurrence)
