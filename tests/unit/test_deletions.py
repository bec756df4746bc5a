"""One function asks the server to delete, and it asks first whether that is a base task."""

from __future__ import annotations

from pathlib import Path

import pytest

import triggers
import workers
from triggers.clearml_api import launches

_FILES = {
    path.relative_to(root): path.read_text("utf-8")
    for package in (triggers, workers)
    for root in [Path(package.__file__).parent]  # type: ignore[arg-type]
    for path in root.rglob("*.py")
    if "sandbox" not in path.relative_to(root).parts
}


@pytest.mark.parametrize(
    ("words", "files"),
    [
        (("tasks.delete", "models.delete", "projects.delete", "delete_many"), {"clearml_api/launches.py"}),
        (("delete_draft",), {"clearml_api/launches.py", "actions/launching/drafts.py"}),
    ],
)
def test_one_module_deletes(words: tuple[str, ...], files: set[str]) -> None:
    named = {str(name) for name, text in _FILES.items() if any(word in text for word in words)}
    assert {name for name in named if not name.endswith("steps.py")} == files


def test_a_base_task_is_not_asked_for() -> None:
    class Deaf:
        def call(self, *_: object) -> None:
            raise AssertionError("the server was asked")

    assert launches.delete_draft(Deaf(), "base", is_base_task=lambda id_: id_ == "base") == "kept"  # type: ignore[arg-type]
