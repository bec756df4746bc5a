"""Writes the page `docs/protocol.md` from the tables of steps and transitions."""

from __future__ import annotations

from textwrap import fill

from triggers.base.terminal import say_page
from triggers.ledger import transitions
from triggers.ledger.steps import STEPS, SUPPORT


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

Celery messages are hints that say "look"; the truth is in Redis. Each step removes its input and stores its output in
one atomic script, or makes one call to the ClearML server. A process can therefore die between any two steps; the last
two columns say what happens then. Written from `triggers/ledger/steps.py` by `python -m
triggers.ledger.pages.protocol_page`.

To *settle* a recorded ClearML task is to find out from its status what became of it: a draft was never enqueued, so the
attempt withdraws it; any other status means that it was launched. An attempt is *void* if it lost its firing before it
recorded its ClearML task: without the lease it cannot record the task, so it never enqueues it. The
[glossary](glossary.md) defines the other words.

{table}

{support}

## The states of a firing

![The states of a firing and the verbs that lead from one to another](img/states.svg)

Each transition has one verb, the same in code, scripts, the history and the command line. The tables are written from
`triggers/ledger/transitions.py`, the picture by `python -m triggers.ledger.pages.diagram > docs/img/states.svg`. Redis
stores the states of `triggers.ledger.firings.firing.State`: *claimed* is `waiting` with a lease. When a lease expires,
nothing changes at once: the firing stays claimed until the next attempt claims it.

{phases}

{transitions}

Firings that are `waiting` or `held` are under way, and `dead` ones wait for a person. All others have ended, and are
forgotten after `TRIGGERS_RETENTION_DAYS`. The same as a Mermaid diagram:

```mermaid
{mermaid}
```

## What may be deleted

Only one call deletes anything on the ClearML server. It is in `triggers/actions/launching/drafts.py`, and deletes a
draft without `force`, so the server refuses it for a task that was enqueued. It never deletes the base task of a
trigger, even if that trigger was edited, retired or deleted: the ledger keeps the ids of all base tasks
(`base_tasks`). With `reuse_task`, the base task itself carries launch tags, and the tag `clearml-triggers:reused`,
which an earlier release did not write. A task therefore counts as a clone only if it has a parent, lacks that tag, and
carries the nonce of an attempt that the ledger knows to be void.

When a trigger is deleted or retired, the firings that have recorded a ClearML task are settled first, since that task
may run: a launched one stays launched, a draft is withdrawn. Then these firings and all others that wait are skipped.
Nothing is cloned for them.

## What is checked exhaustively

Three small models of these steps are checked with [spin](https://spinroot.com), which visits every state that a model
can reach.

**`tests/model/protocol.pml`** models launches. Two dispatchers, a poller with its matcher, an agent and a person
interleave in every order. One or two objects fire a `single_instance` trigger whose own launches satisfy its condition.
The person skips waiting firings, copies launches and runs the copies, and deletes a launch. Up to two faults occur at
any point: a process is killed before a step, a process is frozen until its lease has expired, a reply is lost, a call
fails before the clone, or Redis is emptied while it serves. The model checks that

- each firing is enqueued once
- one launch runs at a time
- no event of a trigger's own launch is granted
- a firing is skipped for a slot only if something runs or is being launched
- at the end, every object was launched once, or was skipped for such a reason

`tests/model/test_protocol_model.py` also runs the model with earlier, wrong rules, and sees each of them fail: a
trigger's own launches known only from the last step, a firing that ends without releasing its slot, and an epoch that
is just the run of Redis.

**`tests/model/parts.pml`** models the parts of one firing: one that runs along with it, one that waits for its launch,
one that its receiver refuses for good, and the alarm of `on_failed`. Two workers and a person who retries and drops
dead letters interleave with the same faults. The model checks that each part is carried out once under its lease, none
before its time, and that none is missing at the end. Granting the parts in a step of their own fails there, and so does
one alarm for each failure.

**`tests/model/lines.pml`** models how workers take firings from the lines of triggers, which take turns. Two workers
(one of them of an earlier release, which takes firings from the list), a matcher, and a person who skips interleave
with expiring leases and pauses, a killed or frozen process, and lost lines. The model checks that every firing that the
list counts as lined up is in a line, no worker takes what another has, no trigger is served twice while another waits,
and no firing is forgotten at the end. Taking by due time alone fails there, and so do lines that are trusted, and lines
that are not repaired.

**Not in the models:**

- time: a lease may expire at any moment, and a forgotten enqueue call has arrived before anything continues, as
  [decision 5](decisions/0005-waiting-for-forgotten-attempts.md) assumes
- polls: reading windows, pace, and which matcher takes which partition
- firings: their order within a trigger, pace, holds, pauses, edited triggers, `reuse_task`, repeating triggers,
  functions, edits made by parts, turns at receivers, and schedules
- a launch that a person deletes while Redis is emptied, or before the ledger knows of it ([decision
  4](decisions/0004-withdrawing-is-announced.md))
- Redis with older data, or a promoted replica

Tests of the real stages cover most of these: random interleavings (`tests/property/stages`) also put older data back
into Redis, `tests/integration/failover/test_promotion.py` promotes a replica, and the crash tests and
[chaos](chaos.md) kill real processes.
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
