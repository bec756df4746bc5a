"""Decisions are made by the ledger's clock: that of the machine may be any time off."""

import ast
from pathlib import Path

import pytest

import triggers

ROOT = Path(triggers.__file__).parent
SCRIPTS = ROOT / "ledger" / "scripts"
FILES = sorted([*ROOT.glob("stages/*.py"), *ROOT.glob("ledger/**/*.py"), *ROOT.glob("sync/*.py")])

#: Calls that read the machine's wall clock.
WALL = {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "date.today", "time.gmtime", "time.localtime"}

#: Times that people read and nothing decides by.
FOR_PEOPLE = {
    "ledger/history/audit.py",
    "ledger/deployment/exclusions.py",
    "ledger/api_budget/api_account.py",
    "ledger/deployment/at_work.py",
}


def calls(source: str) -> set[str]:
    return {ast.unparse(node.func) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_decision_reads_the_machines_clock(file: Path) -> None:
    found = {call for call in calls(file.read_text()) if any(call.endswith(one) for one in WALL)}
    assert not found or str(file.relative_to(ROOT)) in FOR_PEOPLE


@pytest.mark.parametrize("source", ["time.time()", "datetime.datetime.now(UTC)", "x = 1 + time.time_ns()"])
def test_a_look_at_the_machines_clock_is_found(source: str) -> None:
    assert any(call.endswith(one) for call in calls(source) for one in WALL)


def test_scripts_read_redis_clock_in_one_place() -> None:
    assert [file.name for file in sorted(SCRIPTS.glob("*.lua")) if "'TIME'" in file.read_text()] == ["clock.lua"]


def test_no_client_reads_redis_clock_but_that_of_the_ledger() -> None:
    found = [str(file.relative_to(ROOT)) for file in FILES if "client.time()" in file.read_text()]
    assert set(found) <= FOR_PEOPLE
