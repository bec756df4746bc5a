"""Environments made as users make them, and programs run in them that see nothing of the one the tests run in."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
CONSTRAINTS = REPOSITORY / "constraints.txt"
DOCKERFILE = REPOSITORY / "deploy" / "Dockerfile"


class Installation:
    """One virtual environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.python = self.bin / "python"

    def install(self, *arguments: str | Path) -> None:
        """Make the environment and install with the pip that it brings."""
        checked(sys.executable, "-m", "venv", self.folder)
        checked(self.python, "-m", "pip", "install", "--quiet", *arguments)

    def environment(self, home: Path, **variables: str) -> dict[str, str]:
        """All that a program gets to see."""
        path = os.pathsep.join([str(self.bin), "/usr/local/bin", "/usr/bin", "/bin"])
        return {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8"} | variables

    def run(self, home: Path, program: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run one of its programs to its end, in its own empty folder."""
        return subprocess.run(
            [self.bin / program, *arguments],
            cwd=home,
            env=self.environment(home, **variables),
            capture_output=True,
            text=True,
            check=False,
        )


def checked(*command: str | Path, cwd: Path | None = None, **variables: str) -> None:
    """Run what belongs to installing: of the environment, pip's own settings alone count."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(
        command, cwd=cwd, env=environ | variables, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def built_image(folder: Path) -> Installation:
    """Carry out the first stage of the Dockerfile as it is written, below a folder instead of below /."""
    source, target, environ = folder / "src", folder / "opt" / "triggers", dict[str, str]()
    source.mkdir()
    for instruction, text in _first_stage(DOCKERFILE.read_text()):
        if instruction == "ENV":
            environ |= dict(each.split("=", 1) for each in shlex.split(text))
        elif instruction == "COPY":
            *names, place = shlex.split(text)
            for name in names:
                _copy(REPOSITORY / name, source / place if place == name else source / place / name)
        elif instruction == "RUN":
            command = text.replace("/opt/triggers", str(target))
            if command.startswith("python "):
                command = shlex.quote(sys.executable) + command.removeprefix("python")
            checked("sh", "-c", command, cwd=source, **environ)
    return Installation(target)


def _first_stage(text: str) -> list[tuple[str, str]]:
    """The instructions between the first FROM and the second."""
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip() and not line.startswith("#")]
    found = [(line.partition(" ")[0], line.partition(" ")[2]) for line in lines]
    starts = [number for number, (instruction, _) in enumerate(found) if instruction == "FROM"]
    return found[starts[0] + 1 : starts[1]]


def _copy(source: Path, target: Path) -> None:
    ignored = (REPOSITORY / ".dockerignore").read_text().splitlines()
    assert f"!{source.relative_to(REPOSITORY)}" in ignored, f".dockerignore keeps {source} out of the image"
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)
