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

Celery messages are hints that say "look"; the truth is in Redis. Each step takes one thing and leaves the next
in one atomic script, so that a process may die between any two of them. Written from `triggers/ledger/steps.py`
by `python -m triggers.ledger.pages.protocol_page`.

{table}

{support}

## The states of a firing

![The states of a firing and the verbs that lead from one to another](img/states.svg)

One verb for each transition, the same in code, scripts, the history and the command line. Written from
`triggers/ledger/transitions.py`; the picture by `python -m triggers.ledger.pages.diagram > docs/img/states.svg`. Stored
are the states of `triggers.ledger.firings.firing.State`: *claimed* is `waiting` with a lease. A lease that runs out
changes nothing by itself: the firing stays claimed until the next attempt claims it.

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

`tests/model/lines.pml` is a third model, of how workers take firings: from lines of triggers, which take turns. Two
workers, one of an earlier release that takes from the list, a matcher, a person who skips, and leases and pauses that
run out interleave with a process killed or frozen, and with lines that are lost. Checked: what the list says to stand
in a line does, nothing is taken that another has, no trigger is served twice while another waits, and at the end no
firing is forgotten. Taking by due time alone, lines that are believed, and lines that stay lost fail there.

*Not in the models:* time (a lease ends whenever it may, a forgotten enqueue has arrived before anything goes on, as
[decision 5](decisions/0005-waiting-for-forgotten-attempts.md) assumes), reading windows, the pace of polls, which
matcher takes which partition, order within a trigger, pace, holds, pauses and edits, `reuse_task`, repeating
triggers, functions, what parts of a firing edit, turns at receivers, schedules, a launch that a person deletes while
Redis is emptied or before the ledger knows of it ([decision 4](decisions/0004-withdrawing-is-announced.md)), older
data put back into Redis, and a promoted replica. The random interleavings of the real stages (`tests/property/stages`)
put older data back; `tests/integration/failover/test_promotion.py` promotes a replica; the crash tests and chaos have
most of the rest.
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
