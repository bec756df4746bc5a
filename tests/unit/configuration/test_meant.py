"""A value that is none of those that there are: the error says which of them was perhaps meant, wherever it stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import pytest

from triggers.actions.table import ACTIONS
from triggers.base.errors import InvalidTrigger, Usage
from triggers.base.meant import meant
from triggers.base.redis_address import RedisAddress
from triggers.base.roles import refused
from triggers.base.settings import Settings, settings_of
from triggers.configuration.document import parse
from triggers.console.access import accounts
from triggers.model import make_trigger
from triggers.model.schedule_values import WEEKDAYS
from triggers.model.trigger import CLASSES, policy_of
from triggers.stages.table import queues
from triggers.testing import task

FUNCTION = {"type": "function", "name": "f"}
CLONES = "  schedule_task_id: b\n  schedule_queue: q"


def options_of(schema: Any) -> list[str]:
    """The words that a JSON schema of a field lists, wherever in it."""
    if isinstance(schema, dict):
        found = [one for one in schema.get("enum", []) if isinstance(one, str)]
        return found + [one for name, value in schema.items() if name != "enum" for one in options_of(value)]
    return [one for each in schema for one in options_of(each)] if isinstance(schema, list) else []


def fields_with_options(model: Any) -> Iterator[tuple[str, bool, list[str]]]:
    """Fields of which the schema lists values: name, whether it takes several, the values."""
    for name, schema in model.model_json_schema()["properties"].items():
        if "$ref" not in str(schema) and (options := options_of(schema)):
            yield name, schema.get("type") == "array", options


def enumerated() -> Iterator[Any]:
    """Kind, field, several, one of its values; of conditions and policies of all kinds."""
    for kind, of in CLASSES.items():
        policy = type(of.model_fields["policy"].default)
        for model, names in ((of, set(of.model_fields) - {"kind"}), (policy, set(policy_of(kind)))):
            for name, several, options in fields_with_options(model):
                if name in names:
                    yield from (pytest.param(kind, name, several, one, model is policy) for one in options)


@pytest.mark.parametrize(("kind", "name", "several", "option", "in_policy"), enumerated())
def test_values_of_definitions(kind: str, name: str, several: bool, option: str, in_policy: bool) -> None:
    wrong: Any = f"{option}{option[-1]}"
    value = [wrong] if several else wrong
    place = {"policy": {name: value}} if in_policy else {name: value}
    with pytest.raises(InvalidTrigger) as caught:
        make_trigger(kind, name="t", action=FUNCTION, **place)
    assert f"did you mean {option!r}?" in str(caught.value)


def test_definitions_have_such_values() -> None:
    names = {param.values[1] for param in enumerated()}
    assert {"trigger_on_status", "trigger_on_sign", "trigger_on_direction", "overlap", "fire", "catch_up"} <= names


@pytest.mark.parametrize("day", WEEKDAYS)
def test_days_of_the_week(day: str) -> None:
    for wrong in (day[:-1], day.upper(), day[:3]):
        with pytest.raises(InvalidTrigger, match=f"did you mean '{day}'"):
            make_trigger("schedule", name="s", action=FUNCTION, weekdays=[wrong], hour=1)


@pytest.mark.parametrize("option", ["object", "launched"])
def test_values_of_actions(option: str) -> None:
    with pytest.raises(InvalidTrigger, match=f"did you mean '{option}'"):
        make_trigger("task", name="t", action={"type": "tag", "add": ["x"], "on": f"{option}s"})


@pytest.mark.parametrize("type_", sorted(ACTIONS))
def test_types_of_actions(type_: str) -> None:
    with pytest.raises(InvalidTrigger, match=f"did you mean '{type_}'"):
        make_trigger("task", name="t", action={"type": f"{type_}{type_[-1]}"})


LITERALS = [
    (name, option)
    for name, field in Settings.model_fields.items()
    if get_origin(field.annotation) is Literal
    for option in get_args(field.annotation)
]


@pytest.mark.parametrize(("name", "option"), LITERALS)
def test_values_of_settings(name: str, option: str) -> None:
    with pytest.raises(Usage) as caught:
        settings_of({f"TRIGGERS_{name.upper()}": f"{option}{option[-1]}"})
    assert f"did you mean {option!r}?" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- kind: taks", "did you mean 'task'"),
        ("- kind: task\n  trigger_on_stauts: [failed]", "did you mean 'trigger_on_status'"),
        (f"- kind: task\n  trigger_on_status: [fail]\n{CLONES}", "did you mean 'failed'"),
        (f"- kind: task\n  name: a\n  overlap: queu\n  single_instance: true\n{CLONES}",
         "did you mean 'queue'"),
        ("- kind: task\n  name: a\n  actions: [{type: tagg}]", "did you mean 'tag'"),
        (f"- kind: task\n  name: a\n{CLONES}\ntrigers: []", "did you mean 'triggers'"),
        (f"- kind: schedule\n  name: a\n  cron: '* * * * *'\n  timezone: Europe/Belin\n{CLONES}",
         "did you mean 'Europe/Berlin'"),
    ],
)  # fmt: skip
def test_files_of_triggers(text: str, said: str) -> None:
    with pytest.raises(Usage, match=said):
        parse(f"triggers:\n{text}\n", "triggers.yaml")


def test_other_places() -> None:
    assert "did you mean 'dispatch'?" in refused({"queues": "dispach"}, None, queues())
    with pytest.raises(Usage, match="did you mean 'operator'"):
        accounts(["olga:operatr:scrypt:x"])
    with pytest.raises(Usage, match="did you mean 'failed'"):
        task(status="faild")
    with pytest.raises(Usage, match="did you mean 'rediss'"):
        RedisAddress.parse("redisss://h/0")


@pytest.mark.parametrize(
    ("word", "said"),
    [("fail", "failed"), ("Failed", "failed"), ("publ", ""), ("xyz", ""), ("", ""), (3, ""), ("f" * 10_000, "")],
)
def test_what_is_like_nothing_is_left(word: object, said: str) -> None:
    found = meant(word, ["failed", "published", "publishing"])
    assert found == (f"; did you mean {said!r}?" if said else "")
