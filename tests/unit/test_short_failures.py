"""A failed test in CI says how it failed, and not all that its processes wrote."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.short_failures import HEAD, TAIL, cut

ROOT = Path(__file__).parents[2]
FAILING = """
def test_it():
    print(*(f"printed {number};" for number in range(1000)), sep="\\n")
    try:
        raise ValueError("the cause")
    except ValueError as cause:
        raise AssertionError("first line\\n" + "\\n".join(f"log {number};" for number in range(1000))) from cause
"""


def run(folder: Path, **environ: str) -> str:
    """What pytest prints of the module, in a worker process as in the whole suite."""
    (folder / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text())
    (folder / "test_it.py").write_text(FAILING)
    others = {n: v for n, v in os.environ.items() if n != "CI" and not n.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "-q", "-n", "1", "-p", "no:cacheprovider", str(folder)]
    done = subprocess.run(
        command, cwd=folder, env={**others, "PYTHONPATH": str(ROOT), **environ}, capture_output=True, text=True
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def test_in_ci_the_middle_of_long_texts_is_left_out(tmp_path: Path) -> None:
    said = run(tmp_path, CI="1")
    for kept in ("ValueError: the cause", "first line", "log 0;", "log 999;", "printed 0;", "printed 999;"):
        assert kept in said, said
    assert "log 500;" not in said, said
    assert "printed 500;" not in said, said
    assert said.count("lines are left out") == 2, said
    assert "FAILED test_it.py::test_it - AssertionError: first line" in said, said


def test_elsewhere_all_is_shown(tmp_path: Path) -> None:
    said = run(tmp_path)
    assert "log 500;" in said, said
    assert "printed 500;" in said, said


def test_what_is_short_stays_as_it_is() -> None:
    lines = [str(number) for number in range(HEAD + TAIL + 1)]
    assert cut(lines) == lines
    assert len(cut([*lines, "one more"])) == len(lines)
