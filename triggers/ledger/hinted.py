"""Which hints are under way: one for each stage at most, however much waits.

That a hint is under way says nothing of what waits: who takes it looks, and `reconcile` replaces one that is lost.
"""

from __future__ import annotations

from typing import Any, Final

from triggers.ledger.keys import Keys
from triggers.ledger.store import Script, ScriptCall, Store

HINT, HINT_TAKEN = Script("hint"), Script("hint_taken")

#: What `hint.lua` answers where the hint is to be sent and was given no message.
_BY_CALLER: Final = 1


def to_send(answer: Any) -> bool:
    """Whether a hint is to be sent by whoever has asked, by the answer to `Hinted.sending`."""
    return bool(answer == _BY_CALLER)


class Hinted:
    """The hints of one scheduler that were sent and not taken."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self.store, self.keys = store, keys

    def sending(
        self, stage: str, again_after_ms: int | None = None, message: tuple[str, str] | None = None
    ) -> ScriptCall:
        """The call of `send`, to make it in one trip with others; `to_send` says what its answer means."""
        queue, text = message or ("", "")
        keys = [self.keys.hinted, queue] if queue else [self.keys.hinted]
        return HINT, keys, (stage, "" if again_after_ms is None else again_after_ms, text)

    def send(self, stage: str, again_after_ms: int | None = None, message: tuple[str, str] | None = None) -> bool:
        """Send a hint, unless one is under way; whether the caller has to send it. Counts it as sent.

        Args:
            stage: its stage.
            again_after_ms: of a hint that is under way: after how long another is sent. None: never.
            message: the key of its queue in Redis, and the hint as it lies there: it is sent here. None: by the caller.
        """
        (answer,) = self.store.run_together([self.sending(stage, again_after_ms, message)])
        return to_send(answer)

    def taking(self, stage: str) -> ScriptCall:
        """The call by which the hint of a stage counts as taken; make it before the look at what waits."""
        return HINT_TAKEN, [self.keys.hinted], (stage,)

    def take(self, stage: str) -> None:
        """Count the hint of a stage as taken."""
        self.store.run_together([self.taking(stage)])
