"""Tests wait long enough for a machine that is short of a processor, and none is judged by the time it took."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
#: What is over at once on a quiet machine gets a minute. A pause between two looks is shorter than a second.
ENOUGH_SECONDS = 60.0
#: `timeout` of pytest, in pyproject.toml.
LIMIT_SECONDS = 300.0
#: These measure, or their times are those of a system with everything at stake.
OTHERS = ("benchmarks", "chaos")

WAITS = ("communicate", "eventually", "join", "result", "wait", "wait_until", "acquire", "Barrier")
REQUESTS = ("delete", "get", "head", "open", "patch", "post", "put", "request", "urlopen")


def test_no_wait_is_short_and_no_test_is_judged_by_the_clock() -> None:
    files = [file for file in TESTS.rglob("*.py") if file.relative_to(TESTS).parts[0] not in OTHERS]
    assert len(files) > 500
    found = [f"{file.relative_to(TESTS)}:{line}" for file in files for line in impatient(file.read_text())]
    assert not found, "see tests/eventually.py"


def impatient(text: str) -> Iterator[int]:
    """The lines with a short wait, a limit below that of all tests, or an assertion about the time that passed."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            if any(number < ENOUGH_SECONDS for number in limits(node)):
                yield node.lineno
        elif isinstance(node, ast.Assert) and isinstance(node.test, ast.Compare):
            *parts, most = [node.test.left, *node.test.comparators]
            is_time = any("monotonic() -" in ast.unparse(part) for part in parts)
            if is_time and isinstance(node.test.ops[-1], ast.Lt | ast.LtE) and seconds(most) is not None:
                yield node.lineno


def limits(call: ast.Call) -> Iterator[float]:
    """The numbers that limit a call, seconds."""
    name = ast.unparse(call.func).rpartition(".")[2]
    given = {word.arg: word.value for word in call.keywords}
    if ast.unparse(call.func).endswith("mark.timeout"):
        yield from (0.0 for one in call.args if (seconds(one) or LIMIT_SECONDS + 1) <= LIMIT_SECONDS)
    elif name in WAITS:
        positional = call.args[-1:] if name not in ("acquire", "Barrier") else []
        values = [*positional, given.get("timeout"), given.get("seconds")]
        yield from (number for one in values if (number := seconds(one)) is not None and number >= 1)
    elif name in REQUESTS and (number := seconds(given.get("timeout"))) is not None:
        yield number


def seconds(node: ast.AST | None) -> float | None:
    """A number that is written there."""
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return float(node.value)  # type: ignore[arg-type]
    return None


@pytest.mark.parametrize(
    "line",
    [
        "process.wait(5)",
        "thread.join(10)",
        "out, err = process.communicate(timeout=30)",
        "eventually(ready, 'it is ready', seconds=8)",
        "assert wait_until(gone, 2.5)",
        "requests.get(url, timeout=0.5)",
        "assert time.monotonic() - began < 2",
        "assert 0.1 <= time.monotonic() - began < 2",
        "pytestmark = pytest.mark.timeout(120)",
    ],
)
def test_what_a_starved_machine_would_fail_is_found(line: str) -> None:
    assert list(impatient(line)) == [1]


@pytest.mark.parametrize(
    "line",
    [
        "process.wait(60)",
        "stopping.wait(0.05)",
        "eventually(ready)",
        "','.join(names)",
        "assert time.monotonic() - began > 2",
        "assert time.monotonic() - began < 3 * reference",
        "pytestmark = pytest.mark.timeout(600)",
    ],
)
def test_patient_lines_pass(line: str) -> None:
    assert list(impatient(line)) == []
