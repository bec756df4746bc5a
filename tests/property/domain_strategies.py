"""Random triggers and events over a small world, so that they meet often; and values at their edges."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from hypothesis import strategies as st

from triggers.actions.clearml_task import TaskAction
from triggers.actions.python_function import FunctionAction
from triggers.model import Trigger, make_trigger
from triggers.model.events import Event, Metric, metric_key
from triggers.model.fields import declared
from triggers.model.trigger import CLASSES
from triggers.model.values import STATUSES

KINDS = ("model", "dataset", "task")
TAGS = ("a", "b", "c", "ż")
PROJECTS = ("P", "P/Q", "R")
NAMES = ("run", "run 1", "a.b", "run\n", "żółć")
METRICS = (("loss", "val"), ("a b", "c/d"))
METRIC_PARTS = ("metric", "variant", "threshold", "sign", "direction")
NUMBERS = (-1.0, 0.0, 0.5, 1.0)

texts = st.text(max_size=20).filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text))
words = texts.filter(bool)
any_float = st.floats(allow_nan=True, allow_infinity=True)
maybe_number = st.none() | st.sampled_from([*NUMBERS, float("nan"), float("inf"), float("-inf")]) | any_float
metric = st.builds(Metric, maybe_number, maybe_number, maybe_number)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | any_float | texts.filter(lambda text: "${" not in text),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
keys = st.one_of(words, st.tuples(words, words).map("/".join), st.sampled_from(["Args/lr", "lr", "General/n"]))


def some(options: Any, **limits: Any) -> Any:
    return st.lists(st.sampled_from(options), unique=True, max_size=3, **limits)


#: Fields of an event that `events` does not choose with care.
OTHER_FIELDS = {
    one.name: one.type
    for one in dataclasses.fields(Event)
    if one.name
    not in (
        "kind", "id", "changed_ms", "name", "project", "project_id", "tags", "system_tags", "status", "ready",
        "metrics", "type", "task",
    )
}  # fmt: skip


def by_type(annotation: Any) -> Any:
    """Values for a field of which nothing else is known."""
    text = str(annotation)
    if text.startswith("tuple[str"):
        return some(TAGS).map(tuple)
    return st.booleans() if text in ("bool", "<class 'bool'>") else st.sampled_from(["", *TAGS])


@st.composite
def events(draw: Any) -> Event:
    kind = draw(st.sampled_from(KINDS))
    owner = draw(st.sampled_from([*PROJECTS, ""]))
    hidden = f"{owner}/.datasets/d" if owner else ".datasets/d"
    chosen = draw(st.dictionaries(st.sampled_from(METRICS), metric, max_size=2))
    return Event(
        **{name: draw(by_type(type_)) for name, type_ in OTHER_FIELDS.items()},
        kind=kind,
        id=draw(st.sampled_from(["o1", "o2"])),
        changed_ms=draw(st.integers(0, 2**45)),
        name=draw(st.sampled_from(NAMES) | texts),
        project=hidden if kind == "dataset" and draw(st.booleans()) else owner,
        project_id=draw(st.sampled_from(["", "0" * 32, "1" * 32])),
        tags=tuple(draw(some(TAGS))),
        system_tags=tuple(draw(some(["archived", "development", "dataset"]))),
        status="" if kind == "model" else draw(st.sampled_from(STATUSES)),
        ready=kind == "model" and draw(st.booleans()),
        metrics={} if kind == "model" else {metric_key(*name): value for name, value in chosen.items()},
    )


@st.composite
def conditions(draw: Any, kind: str) -> dict[str, Any]:
    patterns = [f"^{re.escape(name)}$" for name in NAMES] + ["run", "^r", r"\d", "(?i)RUN", "^a.b$", ""]
    together = ("trigger_project", "project_id", *(f"trigger_on_{one}" for one in METRIC_PARTS))
    cls = CLASSES[kind]
    fields: dict[str, Any] = {
        name: by_type(cls.model_fields[name].annotation) for name in declared(cls) if name not in together
    }
    fields |= {"trigger_name": st.sampled_from(patterns), "provenance": st.booleans()}
    if "trigger_on_status" in fields:
        fields["trigger_on_status"] = some(STATUSES)
    # Few parts each: a condition of many is hardly ever met.
    result = {name: draw(fields[name]) for name in draw(some(sorted(fields)))}
    place = draw(st.sampled_from(["", "", "trigger_project", "project_id"]))
    if place:
        result[place] = draw(st.sampled_from(PROJECTS if place == "trigger_project" else ["0" * 32, "1" * 32]))
    if kind == "task" and draw(st.integers(0, 3)) == 0:
        title, variant = draw(st.sampled_from(METRICS))
        sign = draw(st.sampled_from([None, "max", "minimum", "last"]))
        result |= {
            "trigger_on_metric": title,
            "trigger_on_variant": variant,
            "trigger_on_threshold": draw(st.sampled_from(NUMBERS) | st.floats(allow_nan=False)),
            "trigger_on_sign": sign,
            "trigger_on_direction": draw(st.sampled_from(["above", "below"])) if sign == "last" else None,
        }
    return result


@st.composite
def policies(draw: Any) -> dict[str, Any]:
    fire = draw(st.sampled_from(["once", "on_transition", "while_true"]))
    single = draw(st.booleans())
    return {
        "fire": fire,
        "single_instance": single,
        "overlap": draw(st.sampled_from(["skip", "queue", "latest"])) if single else "skip",
        "cooldown_minutes": draw(st.floats(0, 1e6)) if fire == "while_true" else 0,
        "max_per_minute": draw(st.none() | st.integers(0, 10_000)),
    }


task_actions = st.builds(
    TaskAction,
    base_task_id=words,
    queue=words,
    target_project=st.none() | texts,
    tag=st.none() | texts,
    parameters=st.dictionaries(keys, values, max_size=3),
    overrides=st.dictionaries(st.tuples(st.sampled_from(["Args", "Ż"]), words).map("/".join), values, max_size=2),
)
actions = task_actions | st.builds(FunctionAction, name=texts, reference=st.none() | words)


@st.composite
def triggers(draw: Any, names: Any = words, kinds: Any = KINDS, rich: bool = False) -> Trigger:
    kind = draw(st.sampled_from(kinds))
    plain = TaskAction(base_task_id="b", queue="q")
    return make_trigger(
        kind,
        name=draw(names),
        action=draw(actions) if rich else plain,
        policy=draw(policies()) if rich else {},
        **draw(conditions(kind)),
    )


@st.composite
def trigger_lists(draw: Any) -> list[Trigger]:
    return [draw(triggers(names=st.just(f"t{n}"))) for n in range(draw(st.integers(0, 8)))]
