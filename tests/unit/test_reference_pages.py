"""The generated pages of the reference are those of the code, and the tables that they come from are complete."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from triggers.base.files import FILES
from triggers.ledger.history.alarms import ALARMS
from triggers.local.redis_server import PrivateRedis
from triggers.notices.decide import Notice
from workers import messages_page
from workers.metric_table import METRICS

ROOT = Path(__file__).parents[2]
PAGES = {
    "settings.md": "triggers.base.settings_page",
    "files.md": "triggers.base.files",
    "redis-keys.md": "triggers.ledger.pages.keys_page",
    "metrics.md": "workers.metric_table",
    "messages.md": "workers.messages_page",
    "alerts.md": "tests.docs.alerts_page",
}


@pytest.mark.parametrize(("page", "module"), PAGES.items())
def test_the_page_is_written_from_the_code(page: str, module: str) -> None:
    written = (ROOT / "docs" / "reference" / page).read_text()
    assert written == importlib.import_module(module).page(), f"run: python -m {module} > docs/reference/{page}"


def test_no_page_of_the_reference_is_written_by_hand() -> None:
    by_mkdocstrings = {"python-api.md"}
    assert {path.name for path in (ROOT / "docs" / "reference").glob("*.md")} == {*PAGES, *by_mkdocstrings}


def _calls(folder: str, name: str) -> Iterator[tuple[Path, ast.expr]]:
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name:
                yield path, node.args[0]


def test_every_alarm_that_a_stage_raises_is_in_the_table() -> None:
    """Each is named by a constant of the table, or by a constant of its module that comes from there."""
    raised = set()
    for path, argument in _calls("triggers", "raise_alarm"):
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        first = argument.left if isinstance(argument, ast.BinOp) else argument
        if isinstance(first, ast.JoinedStr):
            assert isinstance(first.values[0], ast.FormattedValue), f"{path}: an alarm that no table names"
            first = first.values[0].value
        raised.add(eval(ast.unparse(first), vars(module)))
    assert raised == {alarm.name for alarm in ALARMS}


def test_the_exporter_serves_the_metrics_of_the_table() -> None:
    trees = [ast.parse((ROOT / "workers" / name).read_text()) for name in ("exporter.py", "tallies.py")]
    named = {node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert METRICS.keys() - named == set()


def test_every_field_of_a_notice_is_explained() -> None:
    assert list(messages_page.NOTICE_FIELDS) == [field.name for field in fields(Notice)]


def test_every_file_of_a_private_redis_is_in_the_table(tmp_path: Path) -> None:
    server = PrivateRedis(tmp_path / "state")
    server.start()
    try:
        found = {path.name for path in (tmp_path / "state").iterdir()}
    finally:
        server.stop()
    assert found
    assert found <= {Path(file.path).name for file in FILES if file.path.startswith("STATE/ID/")}
