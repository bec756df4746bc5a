"""Small texts that grow, deep ones, huge ones: refused or cut in little time and memory, and named."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from triggers.base import bounds
from triggers.base.errors import InvalidTrigger, Usage
from triggers.base.slowness import PROCESS_SECONDS, WINDOW_SECONDS, Slowness
from triggers.clearml_api import polls
from triggers.configuration.document import load, parse
from triggers.model import check_new, make_trigger, patterns
from triggers.model.events import Event, decode_model, decode_task
from triggers.rules.conditions import Condition
from triggers.sync.sections import read_section

ACTION = {"type": "task", "base_task_id": "b", "queue": "q"}


@contextmanager
def little(megabytes: float = 60, times: float = 100) -> Iterator[None]:
    """The body takes no more memory than this, and no more CPU time than so many small works on this machine, now."""
    tracemalloc.start()
    try:
        began = time.thread_time()
        small_work()
        tracemalloc.reset_peak()
        begun = time.thread_time()
        yield
        took, (_, peak) = time.thread_time() - begun, tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < megabytes * 2**20
    assert took < times * (begun - began)


def small_work() -> None:
    """Some hundredths of a second where each piece of memory is traced."""
    assert len([str(number) for number in range(100_000)]) == 100_000


def laughs(levels: int = 9, width: int = 9) -> str:
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, levels + 1)]
    return "\n".join(lines) + f"\ntriggers: [{{kind: task, name: t, task_parameters: {{x: *a{levels}}}}}]"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (laughs(), "values, with aliases written out"),
        ("triggers: &a\n- *a", "line 1: an alias contains itself"),
        (f"triggers: {'[' * 300}{']' * 300}", "nested"),
        (f"triggers: {'[' * 20_000}", "nested"),
        (f"triggers: {'{a: ' * 300}1{'}' * 300}", "nested"),
        ("a: &a {k: v}\nb: &b {<<: [*a, *a]}\n" + "\n".join(
            f"c{n}: &c{n} {{<<: [{', '.join(['*' + ('b' if n == 0 else f'c{n - 1}')] * 9)}]}}" for n in range(9)
        ), "values, with aliases"),
        (f"triggers: {'9' * 10_000}", "bombs.yaml is not YAML"),
        ("triggers: 2026-99-99", "bombs.yaml is not YAML"),
        ("triggers: [" + "x, " * 30_000 + "x]", "values"),
        ("x" * (bounds.LARGEST_TEXT + 1), "is larger than"),
    ],
    ids=["aliases", "itself", "lists", "open lists", "mappings", "merges", "digits", "date", "many", "huge"],
)  # fmt: skip
def test_a_file_that_grows_is_refused_by_its_name(text: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triggers.configuration.document.MOST_VALUES", 20_000)
    with little(100, times=200), pytest.raises(Usage) as caught:
        parse(text, "bombs.yaml")
    assert "bombs.yaml" in str(caught.value)
    assert said in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_a_file_is_read_no_further_than_its_bound(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("triggers.configuration.document.LARGEST_TEXT", 1000)
    file = tmp_path / "triggers.yaml"
    file.write_text("#" * 10_000_000)
    with little(2), pytest.raises(Usage, match=r"triggers\.yaml is larger than"):
        load(str(file))


def test_usual_anchors_are_fine() -> None:
    text = "base: &b {a: 1}\ntriggers:\n" + "\n".join(
        f"- {{kind: task, name: t{n}, schedule_task_id: x, schedule_queue: q, trigger_on_tags: &t{n} [a], "
        f"trigger_required_tags: *t{n}}}"
        for n in range(2000)
    )
    with pytest.raises(Usage, match="'base' is unknown"):
        parse(text, "f")
    assert len(parse(text.partition("\n")[2], "f").triggers) == 2000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000 + "]" * 100_000, "'tasks' is not JSON"),
        (" " * (bounds.LARGEST_TEXT + 1), "'tasks' is larger than"),
        (json.dumps([{}] * (bounds.MOST_TRIGGERS + 1)), "'tasks' has more than"),
        (json.dumps([{"name": "deep", "base_task_id": "b", "queue": "q", "task_parameters": {"a": None}}]).replace(
            "null", "[" * 400 + "]" * 400
        ), "entry 'deep': task_parameters="),
        (json.dumps([{"name": "tags", "base_task_id": "b", "queue": "q", "tags": [f"t{n}" for n in range(2000)]}]),
         "entry 'tags': trigger_on_tags"),
        (json.dumps([{"name": "n" * 10_000, "base_task_id": "b", "queue": "q"}]), "at most 500 characters"),
        (json.dumps([{"name": "same", "base_task_id": "b", "queue": "q", "project": str(n)} for n in range(5000)]),
         "another entry has the same name"),
    ],
    ids=["open lists", "huge", "many", "deep", "tags", "name", "like-named"],
)  # fmt: skip
def test_a_section_that_grows_is_a_problem_by_its_name(text: str, said: str) -> None:
    with little(200, times=400):
        problems = read_section("task", text, {}, []).problems
    assert any(said in problem or said.replace("trigger_on_tags", "tags") in problem for problem in problems)


def test_a_script_cannot_declare_what_is_too_deep_or_too_long() -> None:
    deep: object = None
    for _ in range(200):
        deep = [deep]
    with pytest.raises(InvalidTrigger, match=r"task_parameters.*nested more than 50 deep"):
        make_trigger("task", name="t", action={**ACTION, "parameters": {"a": deep}})
    with pytest.raises(InvalidTrigger, match="at most 500 characters"):
        check_new(make_trigger("task", name="n" * 501, action=ACTION))
    many = make_trigger("task", name="t", trigger_on_tags=[f"t{n}" for n in range(1001)], action=ACTION)
    with pytest.raises(InvalidTrigger, match=r"trigger_on_tags.*1,001 are given"):
        check_new(many)
    assert type(many).from_json(many.to_json()) == many, "one that is stored is read"


@pytest.mark.parametrize("decode", [decode_task, decode_model])
def test_an_object_with_a_million_tags_is_an_event_of_bounded_size(decode) -> None:
    item = {
        "id": "a" * 32,
        "name": "n" * 10**7,
        "tags": [f"tag {n}" for n in range(10**6)],
        "last_change": "2026-01-01",
    }
    event = decode(item)
    assert event.tags[:2] == ("tag 0", "tag 1")
    assert len(event.to_json()) < 400_000
    assert len(decode({"id": "b", "tags": ["x" * 10**6] * 9}).to_json()) < 400_000
    assert "1,000,000 tags; the first 5,000 are read" in bounds.excess("n", item["tags"])
    assert "10,000,000 characters" in bounds.excess(item["name"], [])
    assert bounds.excess("n", ["t"] * 5000) == ""
    assert polls.excess is bounds.excess, "polls say so"


def slow_conditions(count: int, tag: str) -> list[Condition]:
    names = [f"^({tag}|{tag}{tag}|{n}x)+$" for n in range(count)]
    return [Condition.of(make_trigger("task", name=p, trigger_name=p, action=ACTION)) for p in names]


def test_hundreds_of_slow_expressions_take_a_bounded_time_together(monkeypatch) -> None:
    searches: list[str] = []

    class Counted(Slowness):
        def add(self, pattern: str, text: str, seconds: float) -> None:
            searches.append(pattern)
            super().add(pattern, text, seconds)

    monkeypatch.setattr(patterns, "slowness", Counted(lambda: 0.0))
    conditions = slow_conditions(300, "q")
    usual = Condition.of(make_trigger("task", name="u", trigger_name="!$", action=ACTION))
    events = [Event("task", str(n), n, name="q" * (100 + n) + "!") for n in range(20)]
    began = time.thread_time()
    for number, event in enumerate(events):
        assert not any(condition.matches(event) for condition in conditions)
        if number == 0:  # `regex` looks at the clock now and then only
            assert time.thread_time() - began < PROCESS_SECONDS + 300 * 0.02
        assert usual.matches(event), "others are decided as ever"
    assert len(searches) < 400, "of 6,000: the slow ones on the first text, and the usual one"
    assert len(patterns.slowness.take_fresh()) == 300
    assert patterns.slowness.take_fresh() == set()


def test_budgets_are_of_a_text_of_an_expression_and_of_all_and_come_back() -> None:
    now = [0.0]
    budget = Slowness(lambda: now[0])
    budget.add("usual", "text", 0.001)
    budget.add("slow", "text", 0.21)
    assert not budget.is_spent("usual", "text"), "one that was never slow is never left out"
    assert budget.is_spent("slow", "text")
    assert not budget.is_spent("slow", "another text")
    budget.add("slow", "another text", 0.3)
    assert budget.is_spent("slow", "a third text")
    for number in range(20):
        budget.add(f"other {number}", f"text {number}", 0.1)
    budget.add("late", "its text", 0.01)
    assert budget.is_spent("late", "a new text")
    assert budget.is_crowded("a new text")
    now[0] += WINDOW_SECONDS
    assert not budget.is_spent("slow", "text")
    assert not budget.is_crowded("a new text")


def test_a_file_with_thousands_of_mistakes_names_the_first_and_counts_the_rest() -> None:
    text = "triggers: [" + "x, " * 30_000 + "x]"
    with pytest.raises(Usage) as caught:
        parse(text, "bombs.yaml")
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("bombs.yaml, item 1:")
    assert len(lines) == 21
    assert lines[-1] == "and 29,981 more problems"
