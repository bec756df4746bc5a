"""What an attempt does about what earlier attempts left behind. Pure decisions; `stages.dispatch` acts.

A firing meets the traces of earlier attempts in two ways, and each has its numbered cases:

Recorded: the ledger holds a ClearML task id, so one enqueue of it may have been sent.
  1. any status but `created`                → launched
  2. `created`                               → withdraw: delete the draft, which fails if the enqueue wins
  3. gone, and we had announced to delete it → void: clone afresh
  4. gone, without announcement              → launched, then deleted by someone; but only when it has been
                                               recorded for so long that a late write would be visible

Found by its key, nothing recorded:
  5. any hit that is not a draft             → launched (in an epoch that Redis forgot)
  6. a draft of a void attempt of ours       → delete it, clone afresh
  7. a draft of an attempt unknown here      → if Redis may have forgotten it: wait until a late enqueue
                                               must have arrived; then leave it alone, clone afresh

Left over when the firing has ended:
  8. a draft of a void attempt               → delete it; but a draft with the nonce of what was launched is
                                               a copy that a person made

In all of these a base task that is run itself (`reuse_task`) is neither void nor a stray: its tag `REUSED` says so, or
that it has no parent, and `stages.drafts` keeps what is or was the base task of any trigger. The firings of a deleted
trigger pass through 1 to 4 and 8 like others, and are skipped instead of cloned afresh.

Carried by an object that would fire the very trigger whose firing it is (`judge_own`):
  9. recorded for the firing                 → own: it never fires this trigger
  10. the firing has not ended               → undecided: kept until it is recorded or has ended
  11. another is recorded                    → a copy that a person made, fires; a draft that does not carry the
                                               nonce of the launch is of a void attempt, and nothing
  12. the firing is unknown, or ended        → the server knows: the oldest that is not a draft is the launch, younger
      without a launch                         ones are copies; without one, a draft is nothing
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

DRAFT, QUEUED = "created", "queued"
RUNNING = frozenset({QUEUED, "in_progress"})

Recorded = Literal["launched", "withdraw", "void", "launched_and_deleted"]


def judge_recorded(status: str | None, *, withdrawing: bool) -> Recorded:
    """Decide about a recorded ClearML task by its present status (None: it is gone)."""
    if status is None:
        return "void" if withdrawing else "launched_and_deleted"
    return "withdraw" if status == DRAFT else "launched"


Holder = Literal["running", "ended", "unclear"]


def judge_holder(status: str | None, launched_seconds: float | None, late_seconds: float) -> Holder:
    """Decide whether the launched ClearML task that holds a slot runs, or has ended.

    Args:
        status: as read, None when it is not there.
        launched_seconds: how long ago it was launched, None when that is not known: long ago.
        late_seconds: how late writes may become visible. A launch made since then that is not there, or a draft, is
            unclear: it was deleted or reset by a person, or this read came too early.
    """
    if status in RUNNING:
        return "running"
    if status in (None, DRAFT) and launched_seconds is not None and launched_seconds < late_seconds:
        return "unclear"
    return "ended"


@dataclass(frozen=True, slots=True)
class Hit:
    """A ClearML task that carries the firing's key; `attempt` is the nonce it carries."""

    id: str
    status: str
    attempt: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What the hits mean: launched as `launched`, or delete `void` and go on, or `wait` first."""

    launched: str | None = None
    void: tuple[str, ...] = ()
    wait: bool = False


def judge_found(hits: Sequence[Hit], void_attempts: Collection[str], *, late_enqueue_possible: bool) -> Judged:
    """Decide about tasks that carry the key of a firing without a record.

    Args:
        hits: oldest first.
        void_attempts: nonces of earlier attempts, all of which ended without recording.
        late_enqueue_possible: an attempt that the ledger forgot may still be about to enqueue its draft.
    """
    for hit in hits:
        if hit.status != DRAFT:
            return Judged(launched=hit.id)
    void = tuple(hit.id for hit in hits if hit.attempt in void_attempts)
    unknown = len(hits) > len(void)
    return Judged(void=void, wait=unknown and late_enqueue_possible)


def judge_strays(hits: Sequence[Hit], recorded: str | None, void_attempts: Collection[str]) -> tuple[str, ...]:
    """Decide which drafts that carry the key of an ended firing to delete.

    Args:
        hits: all that carry the key.
        recorded: the ClearML task that the firing ended with, if any.
        void_attempts: nonces of all attempts but the last; the launch may be of any of them.
    """
    winning = {hit.attempt for hit in hits if hit.id == recorded or hit.status != DRAFT}
    if recorded and not winning:
        return ()  # it was deleted, so nobody knows its nonce: any draft may be a copy that a person made
    strays = (hit for hit in hits if hit.status == DRAFT and hit.id != recorded)
    return tuple(hit.id for hit in strays if hit.attempt in void_attempts and hit.attempt not in winning)


Own = Literal["own", "other", "undecided"]


@dataclass(frozen=True, slots=True)
class Trace:
    """What the ledger knows of a firing: its state, the ClearML task recorded, and by which attempt."""

    state: str
    task: str | None
    recorded_by: str


def judge_own(one: Hit, trace: Trace | None) -> Own | Literal["unknown"]:
    """Decide whether an object that carries the key of a firing is its launch; "unknown": the server has to say.

    A draft of another attempt than the recorded one, remembered or forgotten, is "own" as well: nobody made it by hand.
    """
    if trace is None:
        return "unknown"
    if trace.task == one.id and trace.state != "skipped":  # of a skip it is the ClearML task that was in its way
        return "own"
    if trace.state in ("waiting", "held"):
        return "undecided"
    if trace.state != "launched" or not trace.task:
        return "unknown"
    if one.status != DRAFT:
        return "other"
    # any other nonce than the launch's is of an attempt that is void, also of one that Redis forgot. Copies inherit it,
    # and so has a second clone where the call arrived twice; a launch that was found by its key has it on the server
    return "own" if trace.recorded_by and one.attempt != trace.recorded_by else "unknown"


def judge_own_by_server(one: Hit, hits: Sequence[Hit]) -> Own:
    """The same by all that carry the key, oldest first; the object itself may be missing among them."""
    known = hits if any(hit.id == one.id for hit in hits) else [*hits, one]
    launch = next((hit for hit in known if hit.status != DRAFT), None)
    if launch is None or launch.id == one.id:
        return "own"
    if one.status != DRAFT:
        return "other"
    older = next(hit for hit in known if hit.id in (one.id, launch.id)).id == one.id  # than what it would be a copy of
    return "own" if older or one.attempt != launch.attempt else "other"


def retry_seconds(failures: int, base_seconds: float, cap_seconds: float, dice: float) -> float:
    """The pause before the next attempt: exponential, jittered by ±25 %.

    Args:
        failures: attempts that have failed so far, from 1.
        base_seconds: pause after the first failure.
        cap_seconds: longest pause before jitter.
        dice: a number in [0, 1).
    """
    pause = min(cap_seconds, base_seconds * 2.0 ** min(failures - 1, 30))
    return pause * (0.75 + dice / 2)
