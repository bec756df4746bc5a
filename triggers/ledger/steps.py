"""The steps of the protocol as data: how a change becomes exactly one launch.

Each step takes one thing and leaves the next in one atomic script, or is one call to the ClearML server.
`triggers.ledger.pages.protocol_page` writes `docs/protocol.md` from this table, and a test holds that no script and no
writing call is missing.
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
        "batches of events and the cursor, if the poll lease is still ours and the page is judged as Redis knows it",
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
        "what is due stands in the line of its trigger; triggers take turns; a lease on the firing and the nonce of "
        "this attempt; a first attempt that has nothing to ask for but its pace is counted, and has begun; what still "
        "runs in the claiming process keeps its lease, "
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
