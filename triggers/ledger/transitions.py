"""The transitions of a firing as data: one verb each, the same in code, scripts, history, command line and docs.

`docs/protocol.md` and its diagram are written from this table. `tests/property/ledger/test_transitions.py` compares it
with what the scripts do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

#: Where a firing stands. Stored is `triggers.ledger.firings.firing.State`: `claimed` is `waiting` with a lease.
#: `none` is a key that was never granted.
Phase = Literal["none", "waiting", "claimed", "held", "launched", "shadow", "skipped", "dead", "dropped"]

PHASES: Final[dict[Phase, str]] = {
    "none": "was never granted",
    "waiting": "is due now or later",
    "claimed": "is being carried out by one attempt, and no other attempt has claimed it since",
    "held": "waits on purpose: for a pause, a pace, a slot or a receiver",
    "launched": "was carried out",
    "shadow": "would have been carried out, in shadow mode",
    "skipped": "is not carried out; its key is free, so the object's next change counts again",
    "dead": "was given up, and waits for a person",
    "dropped": "was dropped by a person; its key stays taken",
}


@dataclass(frozen=True, slots=True)
class Transition:
    """One transition. `meaning`: when it happens.

    Attributes:
        verb: Its name.
        starts: The phases it leads away from.
        ends: The phase it leads to.
        scripts: Those that make it.
        happened: Its word in the history and in counts; "" where it leaves no line there.
        ways: The verbs of the command line by which a person makes it.
    """

    verb: str
    starts: tuple[Phase, ...]
    ends: Phase
    meaning: str
    scripts: tuple[str, ...]
    happened: str = ""
    ways: tuple[str, ...] = ()


TRANSITIONS: Final = (
    Transition(
        "grant",
        ("none", "skipped"),
        "waiting",
        "a trigger matches, once for each key; a person fires it; or it is time for a part (decision 24)",
        ("match_commit", "fire_by_hand", "begin", "finish"),
        "granted",
        ("fire", "replay"),
    ),
    Transition(
        "resolve",
        ("none",),
        "waiting",
        "the condition has become false again after a firing: the first action of `on_resolved`",
        ("match_commit",),
        "resolved",
    ),
    Transition("try", ("none",), "waiting", "a person tries an action", ("send",), "tried", ("send",)),
    Transition(
        "claim",
        ("waiting", "claimed", "held"),
        "claimed",
        "an attempt takes the lease of a firing that is due, whose lease has expired, or that has a turn at a receiver",
        ("claim", "claim_held"),
    ),
    Transition(
        "launch",
        ("claimed",),
        "launched",
        "the action was carried out: a ClearML task was enqueued, or a function returned",
        ("finish",),
        "launched",
    ),
    Transition("act", ("claimed",), "launched", "a part of a firing was carried out", ("finish",), "acted"),
    Transition("shadow", ("claimed",), "shadow", "the launch would be made, in shadow mode", ("finish",), "shadow", ()),
    Transition(
        "skip",
        ("claimed", "waiting", "held"),
        "skipped",
        "the slot is taken, a newer firing replaces it, its trigger is gone, or a person skips it",
        ("finish", "hold", "skip_waiting"),
        "skipped",
        ("resume --skip-missed",),
    ),
    Transition(
        "hold",
        ("claimed",),
        "held",
        "its trigger is paused or exceeds its pace, or its slot or receiver is taken",
        ("hold", "line_up"),
        "held",
    ),
    Transition(
        "release",
        ("held",),
        "waiting",
        "the reason for the hold has ended, or a person releases it",
        ("release", "release_now"),
        "released",
        ("resume", "holds release"),
    ),
    Transition(
        "fail", ("claimed",), "waiting", "an attempt failed; the next one comes after a pause", ("put_back",), "failed"
    ),
    Transition("snooze", ("claimed",), "waiting", "nothing failed, but the attempt has to wait", ("put_back",)),
    Transition("move", ("claimed",), "waiting", "its trigger's action now belongs to another lane", ("move",)),
    Transition("give up", ("claimed",), "dead", "it cannot be carried out, or failed too often", ("finish",), "dead"),
    Transition(
        "retry",
        ("dead",),
        "waiting",
        "a person retries a dead letter",
        ("retry_dead",),
        "retried",
        ("dead retry", "unsigned adopt"),
    ),
    Transition(
        "drop", ("held", "dead"), "dropped", "a person drops it", ("drop",), "dropped", ("holds drop", "dead drop")
    ),
)


def edges() -> dict[tuple[Phase, Phase], list[str]]:
    """The verbs from one phase to another."""
    found: dict[tuple[Phase, Phase], list[str]] = {}
    for one in TRANSITIONS:
        for start in one.starts:
            found.setdefault((start, one.ends), []).append(one.verb)
    return found


def table() -> str:
    """The transitions as a Markdown table."""
    rows = ["| verb | from | to | when | scripts | in the history | command |", "|---|---|---|---|---|---|---|"]
    for one in TRANSITIONS:
        scripts, ways = (", ".join(f"`{name}`" for name in names) for names in (one.scripts, one.ways))
        starts, happened = ", ".join(one.starts), f"`{one.happened}`" if one.happened else ""
        rows.append(f"| {one.verb} | {starts} | {one.ends} | {one.meaning} | {scripts} | {happened} | {ways} |")
    return "\n".join(rows)


def phases_table() -> str:
    """What a firing in each phase is, as a Markdown table."""
    rows = [f"| {phase} | {meaning} |" for phase, meaning in PHASES.items() if phase != "none"]
    return "\n".join(["| a firing that is | |", "|---|---|", *rows])


def mermaid() -> str:
    """The transitions as a Mermaid state diagram."""
    lines = ["stateDiagram-v2"]
    for (start, end), verbs in edges().items():
        lines.append(f"    {'[*]' if start == 'none' else start} --> {end}: {', '.join(verbs)}")
    final = [phase for phase in PHASES if phase not in {start for start, _ in edges()}]
    return "\n".join([*lines, *(f"    {phase} --> [*]" for phase in final)])
