"""Which hints are under way: one for each stage at most, however much waits.

That a hint is under way says nothing of what waits: who takes it looks, and `reconcile` replaces one that is lost.
"""

from __future__ import annotations

from triggers.ledger.keys import Keys
from triggers.ledger.store import Script, ScriptCall, Store

HINT, HINT_TAKEN = Script("hint"), Script("hint_taken")


class Hinted:
    """The hints of one scheduler that were sent and not taken."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self.store, self.keys = store, keys

    def sending(self, stage: str, again_after_ms: int | None = None) -> ScriptCall:
        """The call of `send`, to make it in one trip with others; it answers whether to send."""
        return HINT, [self.keys.hinted], (stage, "" if again_after_ms is None else again_after_ms)

    def send(self, stage: str, again_after_ms: int | None = None) -> bool:
        """Whether to send a hint now; counts it as sent.

        Args:
            stage: its stage.
            again_after_ms: of a hint that is under way: after how long another is sent. None: never.
        """
        (answer,) = self.store.run_together([self.sending(stage, again_after_ms)])
        return bool(answer)

    def taking(self, stage: str) -> ScriptCall:
        """The call by which the hint of a stage counts as taken; make it before the look at what waits."""
        return HINT_TAKEN, [self.keys.hinted], (stage,)

    def take(self, stage: str) -> None:
        """Count the hint of a stage as taken."""
        self.store.run_together([self.taking(stage)])
