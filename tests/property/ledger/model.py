"""What the ledger's firings are, in plain Python: the scripts are compared with it step by step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class ModelFiring:
    """One firing. `token` is that of its owner, "" for nobody."""

    object: int
    trigger: str
    sequence: int
    state: str = "waiting"
    due: bool = True
    token: str = ""
    attempts: list[str] = field(default_factory=list)
    failures: int = 0
    task: str | None = None
    withdrawing: str | None = None
    hold: str = ""
    slot: str = ""


@dataclass
class Model:
    """All firings by key, the slots, and which triggers are paused."""

    firings: dict[str, ModelFiring] = field(default_factory=dict)
    slots: dict[str, str] = field(default_factory=dict)
    paused: dict[str, bool] = field(default_factory=dict)
    sequence: int = 0

    def grant(self, key: str, object_: int, trigger: str) -> bool:
        """A key is granted once, and again only after a skip."""
        known = self.firings.get(key)
        if known is not None and known.state != "skipped":
            return False
        self.sequence += 1
        self.firings[key] = ModelFiring(object_, trigger, self.sequence)
        return True

    def claim(self, key: str, token: str) -> None:
        firing = self.firings[key]
        assert firing.state == "waiting"
        assert firing.due, "a leased firing was given to another"
        firing.token, firing.due = token, False
        firing.attempts.append(token)

    def takes_turns(self, claimed: Iterable[str]) -> None:
        """No trigger has waited while another was served twice."""
        counts = Counter(self.firings[key].trigger for key in claimed)
        for waiting in {firing.trigger for firing in self.firings.values() if firing.due}:
            assert counts[waiting] >= max(counts.values(), default=0) - 1, f"{waiting} was passed by: {counts}"

    def begin(self, key: str, slot: str, ended_holder: str) -> str:
        holder = self.slots.get(slot, "")
        if slot and holder and holder != ended_holder and holder.split(" ")[0] != key and self.holds(holder, slot):
            return "busy"
        if slot and holder.split(" ")[0] != key:
            self.slots[slot] = f"{key} "
        self.firings[key].slot = slot
        return "go"

    def holds(self, holder: str, slot: str) -> bool:
        key, _, task = holder.partition(" ")
        firing = self.firings.get(key)
        return bool(
            task
            or (firing and firing.state in ("waiting", "held") and (firing.slot == slot or firing.token or firing.task))
        )

    def give_back(self, key: str) -> None:
        firing = self.firings[key]
        if not firing.slot or (firing.task and firing.state in ("waiting", "held")):
            return
        if self.slots.get(firing.slot, "").split(" ")[0] == key:
            if firing.task and firing.state != "skipped":
                self.slots[firing.slot] = f"{key} {firing.task}"
            else:
                del self.slots[firing.slot]
        firing.slot = ""

    def end(self, key: str, state: str, task: str, slot: str) -> None:
        firing = self.firings[key]
        firing.state, firing.token, firing.withdrawing, firing.due = state, "", None, False
        firing.task = task or firing.task
        firing.slot = firing.slot or slot
        self.give_back(key)

    def put_back(self, key: str, *, failed: bool, untouched: bool, long: bool) -> None:
        firing = self.firings[key]
        firing.token, firing.due, firing.failures = "", False, firing.failures + failed
        if untouched:
            firing.attempts.pop()
        if long:
            self.give_back(key)

    def hold(self, key: str, hold: str) -> None:
        firing = self.firings[key]
        firing.state, firing.token, firing.due, firing.hold = "held", "", False, hold
        firing.attempts.pop()
        self.give_back(key)

    def release(self, hold: str, count: int) -> list[str]:
        waiting = sorted((f.sequence, key) for key, f in self.firings.items() if f.state == "held" and f.hold == hold)
        for _, key in waiting[:count]:
            self.firings[key].state, self.firings[key].due, self.firings[key].hold = "waiting", True, ""
        return [key for _, key in waiting[:count]]

    def expire(self) -> None:
        """All leases and pauses expire; tokens stay good until another takes over."""
        for firing in self.firings.values():
            firing.due = firing.state == "waiting"
