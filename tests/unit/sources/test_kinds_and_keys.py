"""Kinds are listed once, each is served by one source, and the keys of firings stay what they were."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from clearml.automation import trigger as sdk
from hypothesis import given
from hypothesis import strategies as st

import triggers
from triggers import TriggerScheduler, testing
from triggers.ledger.firings.firing import firing_key
from triggers.model.kinds import KINDS, call_of
from triggers.model.trigger import CLASSES
from triggers.sources import SOURCES, named, of_kind

ROOT = Path(triggers.__file__).parents[1]
#: Where a list of kinds is not a further table: the kinds, what a source reads, the functions that `testing` exports.
ALLOWED = {
    "triggers/model/kinds.py": "KINDS",
    "triggers/sources/tasks.py": "kinds",
    "triggers/testing/__init__.py": "__all__",
    "workers/app.py": "the entries of the beat, which Celery has keys of these names for",
}


def lists_of_kinds(path: Path) -> list[int]:
    """Lines of the literals that name two kinds or more as their elements or keys."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        parts = node.keys if isinstance(node, ast.Dict) else getattr(node, "elts", None) or []
        named_here = {part.value for part in parts if isinstance(part, ast.Constant) and part.value in KINDS}
        if len(named_here) > 1 or (isinstance(node, ast.Subscript) and _literal(node)):
            found.append(node.lineno)  # type: ignore[attr-defined]
    return found


def _literal(node: ast.Subscript) -> bool:
    return (
        isinstance(node.value, ast.Name)
        and node.value.id == "Literal"
        and isinstance(node.slice, ast.Tuple)
        and (len({part.value for part in node.slice.elts if isinstance(part, ast.Constant)} & set(KINDS)) > 1)
    )


def test_nothing_else_lists_the_kinds() -> None:
    files = [*ROOT.glob("triggers/**/*.py"), *ROOT.glob("workers/*.py")]
    ours = [path for path in files if "sandbox" not in path.parts]
    lists = {str(path.relative_to(ROOT)): lines for path in ours if (lines := lists_of_kinds(path))}
    assert set(lists) == set(ALLOWED), lists


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_served_by_one_source_and_known_to_those_who_declare_it(kind: str) -> None:
    assert [source.name for source in SOURCES if kind in source.kinds] == [of_kind(kind).name]
    assert CLASSES[kind].model_fields["kind"].default == kind
    assert callable(getattr(TriggerScheduler, call_of(kind)))
    assert getattr(testing, kind)().kind == kind
    assert CLASSES[kind].of_objects is hasattr(sdk, f"{kind.title()}Trigger")
    assert set(KINDS[kind].also) <= set(KINDS)


def test_kinds_sources_and_classes_are_the_same_ones() -> None:
    assert set(KINDS) == set(CLASSES) == {kind for source in SOURCES for kind in source.kinds}
    names = [source.name for source in SOURCES]
    assert names == ["models", "tasks", "clock"], "cursors are stored under these names, and read in this order"
    assert [named(name) for name in names] == SOURCES
    with pytest.raises(LookupError, match="one of models, tasks, clock"):
        named("datasets")
    with pytest.raises(LookupError, match="'queue'"):
        of_kind("queue")


@pytest.mark.parametrize(
    ("parts", "key"),
    [
        (("sched-1", "task:on failure", "0123456789abcdef0123456789abcdef", 1), "495f3acccc80024b39ee4ec7c092c2c4"),
        (("sched-1", "task:on failure", "0123456789abcdef0123456789abcdef", 2), "495f3accaa304a3ac7bff173a5cd126e"),
        (("sched-1", "model:published", "f" * 32, 1), "bdfd14b2dc62c78eeee7c3b92e7ac3e2"),
        (("sched-1", "dataset:neue Daten ü", "a" * 32, 17), "428ddd05d9c76200da26ae1a271a24a2"),
        (("s", "task:", "x", 0), "2966b4a677a13f8dd7de3f1cb957f848"),
    ],
)
def test_keys_are_those_that_earlier_commits_wrote(parts: tuple[str, str, str, int], key: str) -> None:
    assert firing_key(*parts) == key


#: What a source may name a subject: anything, the separator of a key's parts among it.
subjects = st.text(st.sampled_from("a0\0:é \n"), max_size=6)


@given(st.tuples(subjects, st.integers(0, 20)), st.tuples(subjects, st.integers(0, 20)))
def test_subjects_of_a_trigger_share_no_key(one: tuple[str, int], other: tuple[str, int]) -> None:
    assert (firing_key("s", "letter:t", *one) == firing_key("s", "letter:t", *other)) == (one == other)
