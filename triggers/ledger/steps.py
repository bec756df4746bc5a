"""The steps of the protocol as data: how a change becomes exactly one launch.

Each step takes one thing and leaves the next in one atomic script, or is one call to the ClearML server.
`docs/protocol.md` is written from this table, and a test holds that no script and no writing call is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import fill

from triggers.base.terminal import say_page
from triggers.ledger import transitions


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `scripts` and `calls` are what it does to Redis and to the ClearML server.

    `killed_before` and `killed_after` say which worker resumes when the process dies there.
    """

    name: str
    scripts: tuple[str, ...]
    calls: tuple[str, ...]
    writes: str
    killed_before: str
    killed_after: str


STEPS = (
    Step(
        "poll",
        ("poll_begin", "poll_commit", "poll_stretch"),
        (),
        "batches of events and the cursor, if the poll lease is still ours",
        "the next tick reads the same window again",
        "reconcile hints match, for as long as batches wait",
    ),
    Step(
        "match",
        ("match_take", "match_commit"),
        (),
        "the leases of the partitions that are matched; then the batch's firings, each key once, with the names of "
        "their parts; the marks, what is undecided; the batch leaves, if the partition lease is still ours",
        "the batch is matched again; granted keys are not granted twice",
        "reconcile hints the firings",
    ),
    Step(
        "claim",
        ("claim",),
        (),
        "a lease on the firing and the nonce of this attempt; what still runs in the claiming process keeps its lease, "
        "also one that expired, unless another has taken it",
        "another claims it",
        "the lease runs out, another claims it",
    ),
    Step(
        "begin",
        ("begin", "hold", "finish"),
        (),
        "pace counted, the slot bound to this firing and its parts granted; or it is held; or skipped and its key "
        "released",
        "the lease runs out, another claims it",
        "the slot is still this firing's at its next attempt",
    ),
    Step(
        "clone",
        (),
        ("tasks.clone",),
        "nothing of ours; the clone carries the launch tags of scheduler, firing and attempt",
        "the next attempt finds no clone",
        "the next attempt finds a draft of a void attempt, deletes it, clones afresh",
    ),
    Step(
        "edit",
        (),
        ("tasks.edit",),
        "what the clone call cannot carry, on this attempt's draft only",
        "as after clone",
        "as after clone: a half-edited draft is deleted, not finished",
    ),
    Step(
        "record",
        ("record",),
        (),
        "the ClearML task id, set if absent, under the lease; from here on one enqueue may have been sent",
        "as after clone",
        "the next attempt settles the recorded id",
    ),
    Step(
        "enqueue",
        (),
        ("tasks.enqueue", "tasks.enqueue_many"),
        "nothing of ours; one call by one attempt per recorded id",
        "the next attempt settles: still a draft, so it is withdrawn",
        "the next attempt settles: no draft any more, so it was launched",
    ),
    Step(
        "withdraw",
        ("withdraw", "clear"),
        ("tasks.delete",),
        "the announcement; then the draft is deleted without force, which fails if an enqueue won; then the record",
        "the next attempt settles again",
        "the next attempt sees the announcement: gone means deleted by us, not launched and deleted by someone",
    ),
    Step(
        "done",
        ("raise_mark", "finish"),
        (),
        "launched; the slot now bound to the ClearML task id; the parts that waited for the launch are granted",
        "the next attempt settles the recorded id",
        "nothing is left to do",
    ),
    Step(
        "fail",
        ("put_back", "finish"),
        (),
        "the time of the next attempt, or a dead letter with its reason and the parts of `on_failed`",
        "the lease runs out, another claims it",
        "it is due again by itself, or waits for a person",
    ),
    Step(
        "announce an edit",
        ("edit_announce",),
        (),
        "that an action is about to edit the object that fired, and how the object will be then",
        "the lease runs out, another claims it; nothing was edited",
        "changes of the object wait until the next attempt has settled what came of it",
    ),
    Step(
        "settle an edit",
        ("edit_settle",),
        (),
        "up to which change the edit goes, if the object is as announced: no change up to it fires the trigger",
        "the next attempt settles it, by the object as it is then",
        "nothing is left to do",
    ),
    Step(
        "line up",
        ("line_up", "claim_held"),
        (),
        "of actions to a receiver to which two requests are under way: they wait for their turn, off the due list",
        "the lease runs out, another claims it",
        "who has a turn at the receiver takes them; reconcile hints where nobody has",
    ),
    Step(
        "reconcile",
        ("release", "slots_rebuild", "epoch_recalled"),
        ("tasks.delete",),
        "hints again for what has lain too long; holds released; slots known again after a new epoch; drafts of "
        "void attempts deleted",
        "the next round does it",
        "nothing is left to do",
    ),
    Step(
        "reuse",
        (),
        ("tasks.reset", "tasks.edit", "tasks.enqueue"),
        "nothing of ours; with `reuse_task` the key and the tag `clearml-triggers:reused` are written on the reset "
        "base task before it is enqueued",
        "the next attempt resets again",
        "the key on the task and any status but `created` mean launched",
    ),
)

#: Scripts that belong to no step of their own: leases, the registry, epochs, what people do, the service task.
SUPPORT = (
    "hint",
    "hint_taken",
    "stamps_note",
    "lease_acquire",
    "lease_renew",
    "lease_release",
    "renew",
    "registry_write",
    "registry_stage",
    "registry_swap",
    "forget_ended",
    "unread_note",
    "unread_done",
    "quarantine",
    "sign",
    "epoch_adopt",
    "move",
    "retry_dead",
    "drop",
    "home_enter",
    "sync_write",
    "import_marks",
    "fire_by_hand",
    "send",
    "skip_waiting",
    "release_now",
    "slot_release",
    "slot_adopt",
    "cursor_set",
    "recent",
    "failing",
    "retry_now",
    "standing",
    "audit_append",
)


def table() -> str:
    """The steps as a Markdown table."""
    rows = [
        "| step | scripts | calls | what is written | killed before it | killed after it |",
        "|---|---|---|---|---|---|",
    ]
    for step in STEPS:
        scripts = ", ".join(f"`{name}.lua`" for name in step.scripts) or "none"
        calls = ", ".join(f"`{name}`" for name in step.calls) or "none"
        rows.append(
            f"| {step.name} | {scripts} | {calls} | {step.writes} | {step.killed_before} | {step.killed_after} |"
        )
    return "\n".join(rows)


PAGE = """# The protocol: how a change becomes exactly one launch

Celery messages are hints that say "look"; the truth is in Redis. Each step takes one thing and leaves the next
in one atomic script, so that a process may die between any two of them. Written from `triggers/ledger/steps.py`
by `python -m triggers.ledger.steps`.

{table}

{support}

## The states of a firing

![The states of a firing and the verbs that lead from one to another](img/states.svg)

One verb for each transition, the same in code, scripts, the history and the command line. Written from
`triggers/ledger/transitions.py`; the picture by `python -m triggers.ledger.diagram > docs/img/states.svg`. Stored are
the states of `triggers.ledger.firing.State`: *claimed* is `waiting` with a lease. A lease that runs out changes nothing
by itself: the firing stays claimed until the next attempt claims it.

{phases}

{transitions}

`waiting` and `held` firings are under way, `dead` ones wait for a person; all others have ended and are forgotten after
`TRIGGERS_RETENTION_DAYS`. The same as a Mermaid diagram:

```mermaid
{mermaid}
```

## What may be deleted

`triggers/actions/launching/drafts.py` makes the only call that deletes: of a draft, without `force`, so that the
server refuses what was enqueued. It keeps every ClearML task that is, or ever was, the base task of a trigger, also of
one that was edited, retired or deleted: the ledger never forgets their ids (`base_tasks`). A base task that is run
itself carries launch tags and the tag `clearml-triggers:reused`; an earlier release did not write that tag.
So a task is taken for a clone only if it has a parent, lacks that tag, and carries the nonce of an attempt that the
ledger knows to be void.

When a trigger is deleted or retired, its firings that have recorded a ClearML task are settled first, since that may
run: launched stays launched, a draft is withdrawn. Then they are skipped, as are all others; nothing is cloned anew.

## What is checked exhaustively

`tests/model/protocol.pml` is these steps as a small model, and [spin](https://spinroot.com) visits every state that
it can reach: all interleavings of two dispatchers, a poller with its matcher, an agent and a person, for one or two
objects that fire a `single_instance` trigger whose condition its own launches satisfy. Up to two faults fall
anywhere: a process killed before any step, a live one frozen past its lease, a lost reply, a failure before the
clone, Redis emptied while serving. The person skips what waits, copies launches (and runs the copies), deletes a
launch. Checked in every state: a firing is enqueued once; one launch runs at a time; no event of an own launch is
granted; whoever is skipped for a slot is skipped for something that runs or is being launched; and at the end every
object was launched once, or skipped for such a reason. `tests/model/test_protocol_model.py` also gives the model
the rules of before (own launches known by what the last step writes, slots left alone by what ends a firing, an
epoch that is the run of Redis alone) and sees each of them fail.

`tests/model/parts.pml` is a second model, of the parts of one firing: one that goes along with it, one that waits for
its launch, one that its receiver refuses for good, and the alarm of `on_failed`. Two workers and a person, who retries
and drops dead letters, interleave with a process killed before any step, one frozen past its lease, a lost reply, and
Redis emptied. Checked: each part is carried out once under its lease, none before its time, and at the end none is
missing. Parts granted by a step of their own, and an alarm for each failure, fail there.

*Not in the models:* time (a lease ends whenever it may, a forgotten enqueue has arrived before anything goes on, as
[decision 5](decisions/0005-waiting-for-forgotten-attempts.md) assumes), reading windows, the pace of polls, which
matcher takes which partition, order, pace, holds, pauses and edits, `reuse_task`, repeating triggers, functions, what
parts of a firing edit, turns at receivers, schedules, a launch that a person deletes while Redis is emptied or before
the ledger knows of it ([decision 4](decisions/0004-withdrawing-is-announced.md)), older data put back into Redis, and
a promoted replica. The random interleavings of the real stages (`tests/property/stages`) put older data back;
`tests/integration/failover/test_promotion.py` promotes a replica; the crash tests and chaos have most of the rest.
"""


def page() -> str:
    """The page `docs/protocol.md`."""
    support = fill(f"Scripts beside the steps: {', '.join(f'`{name}.lua`' for name in SUPPORT)}.", 119)
    states = {
        "phases": transitions.phases_table(),
        "transitions": transitions.table(),
        "mermaid": transitions.mermaid(),
    }
    return PAGE.format(table=table(), support=support, **states)


if __name__ == "__main__":
    say_page(page(), end="")
