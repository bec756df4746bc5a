"""A wall clock for one process and its children that a test can set, forward and back."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest


class SteppedClock:
    """Processes that start with `environ` have a wall clock that is `ahead_seconds` ahead; monotonic clocks go on."""

    def __init__(self, folder: Path) -> None:
        self.library, self.file = folder / "step.so", folder / "step"
        source = Path(__file__).with_name("step.c")
        subprocess.run([compiler(), "-shared", "-fPIC", "-O2", "-o", self.library, source], check=True)
        self.set(0)

    @classmethod
    def of_each(cls, names: Iterable[str], folder: Path) -> dict[str, SteppedClock]:
        """A clock for each name, in a folder of its own."""
        clocks = {}
        for name in names:
            (folder / name).mkdir(parents=True, exist_ok=True)
            clocks[name] = cls(folder / name)
        return clocks

    @property
    def environ(self) -> dict[str, str]:
        """For the environment of a process."""
        return {"LD_PRELOAD": str(self.library), "CLOCK_STEP": str(self.file)}

    def set(self, ahead_seconds: int) -> None:
        """Step the clock, to so many seconds ahead of the real one."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(str(ahead_seconds))
        fresh.replace(self.file)


def compiler() -> str:
    """A C compiler. Without one these tests fail in CI, and are skipped on a laptop."""
    found = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if found is None:
        if os.environ.get("CI"):
            raise RuntimeError("a C compiler is needed: install gcc")
        pytest.skip("there is no C compiler")
    return found
