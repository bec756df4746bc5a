"""The protocol's model under spin: what holds in every interleaving, and that the model finds what old rules broke."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from triggers.ledger.steps import STEPS

MODEL = Path(__file__).with_name("protocol.pml")
#: Of the actions of a firing beyond the first.
PARTS = Path(__file__).with_name("parts.pml")

#: Of what can be taken, a line for each trigger.
LINES = Path(__file__).with_name("lines.pml")

#: What the model leaves out; docs/protocol.md says so.
LEFT_OUT = {
    "poll_begin", "poll_commit", "hold", "line_up", "claim_held", "raise_mark", "release", "epoch_recalled",
    "edit_announce", "edit_settle", "match_take", "poll_stretch",
    "tasks.edit", "tasks.reset",
}  # fmt: skip

#: In `spin`'s own words: the states visited and the first violated assertion.
STATES, VIOLATED = re.compile(r"(\d+) states, stored"), re.compile(r"assertion violated (.*) \(at depth")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def explored(folder: Path, model: Path = MODEL, **sizes: int | bool) -> tuple[int, str]:
    """Every reachable state of a model of these sizes: how many there are, and which assertion one of them violates."""
    for program in ("spin", "gcc"):
        if shutil.which(program) is None:
            missing = pytest.fail if os.environ.get("CI") else pytest.skip
            missing(f"{program} is not installed: apt-get install spin gcc")
    chosen = [f"-D{name}" if size is True else f"-D{name}={size}" for name, size in sizes.items()]
    for command in (
        ["spin", "-a", *chosen, str(model)],
        ["gcc", "-O2", "-w", "-DSAFETY", "-DCOLLAPSE", "-o", "pan", "pan.c"],
    ):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    # the output names an invalid end state, a search cut off by its depth, and one cut off by memory
    answer = subprocess.run(["./pan", "-m2000000", "-w26"], cwd=folder, check=True, capture_output=True, text=True)
    assert "max search depth too small" not in answer.stdout, answer.stdout
    assert "out of memory" not in answer.stdout + answer.stderr, answer.stdout
    violated, states = VIOLATED.search(answer.stdout), STATES.search(answer.stdout)
    assert states, answer.stdout
    if violated is None:
        assert "errors: 0" in answer.stdout, answer.stdout
    return int(states[1]), violated[1] if violated else ""


@pytest.mark.parametrize(
    "sizes",
    [
        {"NOBJ": 1, "MAXT": 2, "FAULTS": 2, "ACTS": 1},
        {"NOBJ": 2, "MAXT": 2, "FAULTS": 1, "ACTS": 1, "MAXA": 5},
        {"NOBJ": 2, "MAXT": 2, "FAULTS": 2, "ACTS": 0, "MAXA": 5},
    ],
    ids=["one object, two faults, a person", "two objects, one fault, a person", "two objects, two faults"],
)
def test_every_interleaving_keeps_the_promises(tmp_path: Path, sizes: dict[str, int]) -> None:
    states, violated = explored(tmp_path, **sizes)
    assert not violated
    assert states > 1_000_000, "the model has stopped moving"


@pytest.mark.parametrize(
    ("rule", "sizes", "violated"),
    [
        ("OLD_OWN", {"NOBJ": 1, "MAXT": 2, "FAULTS": 0, "ACTS": 0}, "t_copy"),
        ("OLD_SLOT", {"NOBJ": 2, "MAXT": 2, "FAULTS": 1, "ACTS": 1}, "was_busy"),
        ("OLD_EPOCH", {"NOBJ": 1, "MAXT": 2, "FAULTS": 1, "ACTS": 0}, "enqueued"),
    ],
)
def test_the_rules_of_before_are_found_wanting(tmp_path: Path, rule: str, sizes: dict[str, int], violated: str) -> None:
    """A trigger that fires on its own launches, a slot that leaks, a Redis emptied while serving."""
    assert violated in explored(tmp_path, **sizes, **{rule: True})[1]


@pytest.mark.parametrize(
    "sizes",
    [{"FAULTS": 1, "ACTS": 1}, {"FAULTS": 2, "ACTS": 0}],
    ids=["one fault, a person", "two faults"],
)
def test_no_part_of_a_firing_is_lost_or_done_twice(tmp_path: Path, sizes: dict[str, int]) -> None:
    states, violated = explored(tmp_path, PARTS, **sizes)
    assert not violated
    assert states > 1_000_000, "the model has stopped moving"


@pytest.mark.parametrize(
    ("rule", "sizes", "violated"),
    [
        ("OLD_GRANT", {"FAULTS": 1, "ACTS": 0}, "sent"),
        ("OLD_ALARM", {"FAULTS": 0, "ACTS": 1}, "acted"),
    ],
)
def test_other_rules_for_parts_are_found_wanting(
    tmp_path: Path, rule: str, sizes: dict[str, int], violated: str
) -> None:
    """Parts that are granted by a step of their own, and an alarm for each failure."""
    assert violated in explored(tmp_path, PARTS, **sizes, **{rule: True})[1]


def test_every_firing_stands_in_a_line_and_triggers_take_turns(tmp_path: Path) -> None:
    states, violated = explored(tmp_path, LINES)
    assert not violated
    assert states > 1_000_000, "the model has stopped moving"


@pytest.mark.parametrize(
    ("rule", "violated"), [("OLD_ORDER", "passed"), ("OLD_TRUST", "ended"), ("OLD_LOST", "passed")]
)
def test_other_rules_for_lines_are_found_wanting(tmp_path: Path, rule: str, violated: str) -> None:
    """The order of the list alone, a line that is believed, and lines that stay lost."""
    assert violated in explored(tmp_path, LINES, **{rule: True})[1]


def test_the_model_has_every_step_of_a_launch() -> None:
    text = MODEL.read_text()
    wanted = {f"{script}.lua" for step in STEPS for script in step.scripts if script not in LEFT_OUT}
    wanted |= {call for step in STEPS for call in step.calls if call not in LEFT_OUT and not call.endswith("_many")}
    assert {name for name in wanted if name not in text} == set()
    assert {name for name in LEFT_OUT if f"{name}.lua" in text or f"- {name}" in text} == set()
