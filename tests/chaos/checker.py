"""The independent checker: what a plan promises, held against what the ClearML server says. Pure.

It knows the plan and the facts, and nothing of ledger and stages.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator

from tests.chaos.facts import Facts
from tests.chaos.plan import KINDS, Plan
from tests.chaos.receiver import end_of, taken

#: statuses of a launch that keeps others out
UNDER_WAY = frozenset({"queued", "in_progress"})


def violations(plan: Plan, facts: Facts) -> list[str]:
    """What is not as promised, in words; empty when all is well."""
    early = [f"{name}: launched during a confirmed pause" for name in facts.book.early]
    found = [_counts(plan, facts), _strangers(plan, facts), _alone(facts), _enqueued_again(facts), _ids(facts)]
    return [*(text for of_one in found for text in of_one), *early]


def missing(plan: Plan, facts: Facts) -> list[str]:
    """The objects that have not run as often yet as they have to."""
    runs = _runs(plan, facts)
    return [name for kind, name in plan.objects() if runs[kind, name] < _range(kind, name, facts)[0]]


def _range(kind: str, name: str, facts: Facts) -> tuple[float, float]:
    """How often an object runs, at least and at most.

    Where Redis forgets its last seconds, the repeating modes miss one transition at most, and double none.
    """
    about = KINDS[kind]
    if about.extra == "operator":
        return facts.book.range_of(kind, name)
    missed = facts.promotions if about.rounds > 1 else 0
    return {
        "exactly": (max(0, about.rounds - missed), about.rounds),
        "at least": (about.rounds, math.inf),
        "at most": (0, about.rounds),
        "never": (0, 0),
    }[about.promise]


def _runs(plan: Plan, facts: Facts) -> Counter[tuple[str, str]]:
    """How often the action was carried out for each trigger and object."""
    runs = facts.runs()
    runs.update(("called", facts.names.get(object_id, object_id)) for object_id in facts.calls)
    for kind, name in plan.objects():
        if kind == "reused":
            runs[kind, name] = facts.starts.count(facts.reused)
        if kind == "told":
            runs[kind, name] = taken(facts.deliveries, name)
    return runs


def _counts(plan: Plan, facts: Facts) -> Iterator[str]:
    runs = _runs(plan, facts)
    for kind, name in plan.objects():
        found, (least, most) = runs[kind, name], _range(kind, name, facts)
        if not least <= found <= most:
            yield f"{name}: {found} runs where {_in_words(least, most)} were promised"
    for kind, about in KINDS.items():
        objects = [name for of, name in plan.objects() if of == kind]
        if about.promise == "at most" and objects and not any(runs[kind, name] for name in objects):
            yield f"{kind}: no object ran at all"


def _in_words(least: float, most: float) -> str:
    if least == most:
        return f"exactly {least}" if most else "none"
    return f"at least {least}" if most == math.inf else f"{least} to {most}"


def _strangers(plan: Plan, facts: Facts) -> Iterator[str]:
    expected = set(plan.objects())
    for (trigger, name), number in _runs(plan, facts).items():
        if (trigger, name) not in expected:
            yield f"{number} runs of trigger {trigger!r} for {name}, which nothing in the plan calls for"


def _alone(facts: Facts) -> Iterator[str]:
    """`single_instance`: at no moment two launches of one trigger queued or running."""
    under_way: dict[str, set[str]] = defaultdict(set)
    for task, status in facts.statuses:
        trigger, _ = facts.launches.get(task, ("", ""))
        if trigger not in KINDS or not KINDS[trigger].alone:
            continue
        if status in UNDER_WAY:
            under_way[trigger].add(task)
        else:
            under_way[trigger].discard(task)
        if len(under_way[trigger]) > 1:
            sources = sorted(facts.launches[one][1] for one in under_way[trigger])
            yield f"{trigger}: {' and '.join(sources)} queued or running at the same time"


def _ids(facts: Facts) -> Iterator[str]:
    """What arrives twice carries one id, which belongs to one action of one object; all of a firing begin alike."""
    ids: dict[tuple[str, str], set[str]] = defaultdict(set)
    whose: dict[str, set[tuple[str, str]]] = defaultdict(set)
    firings: dict[str, set[str]] = defaultdict(set)
    for one in facts.deliveries:
        ids[one.object, one.what].add(one.id)
        whose[one.id].add((one.object, one.what))
        firings[one.object].add(one.id.removesuffix(end_of(one.what)))
    for (name, what), several in sorted(ids.items()):
        if len(several) > 1:
            yield f"{name}: {what} arrived under {len(several)} ids: {', '.join(sorted(several))}"
    for id_, several_of in sorted(whose.items()):
        if len(several_of) > 1:
            yield f"{id_} is the id of {' and '.join(map(' of '.join, sorted(several_of)))}"
    for name, keys in sorted(firings.items()):
        if len(keys) > 1:
            yield f"{name}: its actions are of {len(keys)} firings: {', '.join(sorted(keys))}"


def _enqueued_again(facts: Facts) -> Iterator[str]:
    """No launch is put into a queue twice; the reused ClearML task is, after each reset."""
    queued = Counter(task for task, status in facts.statuses if status == "queued" and task in facts.launches)
    for task, number in queued.items():
        if number > 1:
            yield f"{facts.launches[task][1]}: its launch {task} was enqueued {number} times"
