"""The steps of the protocol as data: how a change becomes exactly one launch.

Each step is one atomic script that removes its input and stores its output, or one call to the ClearML server.
`triggers.ledger.pages.protocol_page` writes `docs/protocol.md` from this table. A test fails if a script or a writing
call is missing.
"""

from __future__ import annotations

from dataclasses import dataclass


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
        "batches of events and the cursor; nothing if the worker no longer has the poll lease, or if the data in "
        "Redis by which it judged the page has changed",
        "the next tick reads the same window again",
        "while batches wait, `reconcile` re-sends the hint for match",
    ),
    Step(
        "match",
        ("match_take", "match_commit"),
        (),
        "leases of the partitions; then the firings of the batch, one for each key, with the names of their parts, "
        "the marks, and the undecided events. The batch is removed. Nothing is written if another worker has the "
        "lease of the partition",
        "the batch is matched again; no key is granted twice",
        "`reconcile` re-sends the hint for dispatch",
    ),
    Step(
        "claim",
        ("claim",),
        (),
        "due firings enter the lines of their triggers, which take turns; a lease on each claimed firing, with the "
        "nonce of this attempt. A first attempt that depends on nothing but the pace is counted here and does not "
        "need *begin*. A firing that the same process still carries out keeps its lease, even an expired one, unless "
        "another attempt has claimed it",
        "another worker claims it",
        "the lease expires, and another worker claims it",
    ),
    Step(
        "begin",
        ("begin", "hold", "finish"),
        (),
        "the launch counts for the pace, the slot belongs to this firing, and its parts are granted; or the firing is "
        "held; or it is skipped and its key released",
        "the lease expires, and another worker claims it",
        "the firing still has the slot at its next attempt",
    ),
    Step(
        "clone",
        (),
        ("tasks.clone",),
        "nothing in Redis; the clone carries launch tags that name scheduler, firing and attempt",
        "the next attempt finds no clone",
        "the next attempt finds the draft of a void attempt, deletes it, and clones again",
    ),
    Step(
        "edit",
        (),
        ("tasks.edit",),
        "nothing in Redis; the draft of this attempt gets what the clone call cannot carry",
        "as after *clone*",
        "as after *clone*: a half-edited draft is deleted, not completed",
    ),
    Step(
        "record",
        ("record",),
        (),
        "the ClearML task id, under the lease, unless one is recorded; from here on, an enqueue call may have been "
        "sent",
        "as after *clone*",
        "the next attempt settles the recorded id",
    ),
    Step(
        "enqueue",
        (),
        ("tasks.enqueue", "tasks.enqueue_many"),
        "nothing in Redis; for each recorded id, one attempt makes one call",
        "the next attempt settles the id: the task is still a draft, so it is withdrawn",
        "the next attempt settles the id: the task is no longer a draft, so it was launched",
    ),
    Step(
        "withdraw",
        ("withdraw", "clear"),
        ("tasks.delete",),
        "first an announcement; then the draft is deleted without `force`, which the server refuses if an enqueue "
        "call came first; then the recorded id is cleared",
        "the next attempt settles the id again",
        "because of the announcement, the next attempt takes a missing task for withdrawn, and not for launched and "
        "then deleted by a person",
    ),
    Step(
        "done",
        ("raise_mark", "finish"),
        (),
        "the firing is launched, its slot is bound to the ClearML task id, and the parts that waited for the launch "
        "are granted",
        "the next attempt settles the recorded id",
        "nothing is left to do",
    ),
    Step(
        "fail",
        ("put_back", "finish"),
        (),
        "the time of the next attempt; or a dead letter with its reason, and the parts of `on_failed`",
        "the lease expires, and another worker claims it",
        "the firing comes due again by itself, or waits for a person",
    ),
    Step(
        "announce an edit",
        ("edit_announce",),
        (),
        "that an action is about to edit the object that fired, and what the object will look like afterwards",
        "the lease expires, and another worker claims it; nothing was edited",
        "changes of the object wait until the next attempt has found out whether the edit was made",
    ),
    Step(
        "settle an edit",
        ("edit_settle",),
        (),
        "the latest change that belongs to the edit, if the object looks as announced; no change up to that one fires "
        "the trigger",
        "the next attempt settles the edit by the state of the object at that time",
        "nothing is left to do",
    ),
    Step(
        "line up",
        ("line_up", "claim_held"),
        (),
        "if two requests to a receiver are under way, further actions to it leave the due list and wait for their turn",
        "the lease expires, and another worker claims it",
        "a worker that has a turn at the receiver takes them; if no worker has one, `reconcile` re-sends the hint",
    ),
    Step(
        "reconcile",
        ("release", "slots_rebuild", "epoch_recalled"),
        ("tasks.delete",),
        "hints are re-sent for work that has waited too long, holds are released, slots are rebuilt after a new "
        "epoch, and drafts of void attempts are deleted",
        "the next round does the same",
        "nothing is left to do",
    ),
    Step(
        "reuse",
        (),
        ("tasks.reset", "tasks.edit", "tasks.enqueue"),
        "nothing in Redis; with `reuse_task`, the base task gets the key and the tag `clearml-triggers:reused` after "
        "its reset and before its enqueue",
        "the next attempt resets the task again",
        "a task that carries the key, and whose status is not `created`, was launched",
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
    "forget_marks",
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
