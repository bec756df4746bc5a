"""requirements.txt, which the image installs: the runtime set alone, pinned as in constraints.txt, by hashes."""

from __future__ import annotations

import re
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
#: what the image has: Linux, and a Python of its own
IMAGE = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}
ROOT_EXTRAS = ("console", "flower", "metrics", "sandbox")


def pins(text: str) -> dict[str, tuple[Requirement, list[str]]]:
    """Each requirement with its hashes."""
    found = {}
    for entry in text.replace("\\\n", " ").splitlines():
        if not entry.strip() or entry.startswith("#"):
            continue
        requirement, *hashes = re.split(r"\s+--hash=", entry.strip())
        parsed = Requirement(requirement)
        found[canonicalize_name(parsed.name)] = (parsed, [one.strip() for one in hashes])
    return found


@pytest.fixture(scope="module")
def required() -> dict[str, tuple[Requirement, list[str]]]:
    return pins((ROOT / "requirements.txt").read_text())


def needed(python: str, machine: str) -> set[str]:
    """What the distribution and the extras of the image need, and what that needs in turn."""
    environment = {**IMAGE, "python_version": python.rpartition(".")[0], "python_full_version": python}
    environment["platform_machine"] = machine
    found: set[str] = set()
    waiting = [("clearml-triggers", extra) for extra in ("", *ROOT_EXTRAS)]
    seen = set(waiting)
    while waiting:
        name, extra = waiting.pop()
        found.add(canonicalize_name(name))
        for text in distribution(name).requires or []:
            requirement = Requirement(text)
            if requirement.marker and not requirement.marker.evaluate({**environment, "extra": extra}):
                continue
            for further in ((requirement.name, one) for one in ("", *requirement.extras)):
                if further not in seen:
                    seen.add(further)
                    waiting.append(further)
    return found - {"clearml-triggers"}


def image_python() -> str:
    found = re.search(r"ARG PYTHON=(\d+\.\d+\.\d+)-", (ROOT / "deploy" / "Dockerfile").read_text())
    assert found
    return found[1]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="what is installed is not what is pinned")
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_requirements_are_the_runtime_set_alone(required: dict[str, tuple[Requirement, list[str]]], machine: str):
    """`setuptools` builds the package in the image. `make pins` writes the file."""
    environment = {**IMAGE, "python_full_version": image_python(), "platform_machine": machine}
    installed = {
        name
        for name, (requirement, _) in required.items()
        if requirement.marker is None or requirement.marker.evaluate(environment)
    }
    assert installed == needed(image_python(), machine) | {"setuptools"}


def test_requirements_are_the_versions_of_the_constraints(required: dict[str, tuple[Requirement, list[str]]]):
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line]
    constraints = {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}
    for name, (requirement, _) in required.items():
        if name in constraints:
            assert str(requirement.specifier) == f"=={constraints[name]}"
        else:
            assert "win32" in str(requirement.marker) or name == "setuptools", f"make pins: {name} has no constraint"


def test_each_requirement_is_held_by_hashes_and_names_no_index(required: dict[str, tuple[Requirement, list[str]]]):
    for name, (_, hashes) in required.items():
        assert hashes, name
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", one) for one in hashes), name
    text = (ROOT / "requirements.txt").read_text()
    assert "://" not in text
    assert not re.search(r"(?m)^\s*-(?!-hash=)", text), "no option but the hashes: where to look is not ours to say"


def test_image_installs_nothing_but_what_has_a_hash():
    runs = [
        line
        for line in (ROOT / "deploy" / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
        if "pip install" in line
    ]
    assert len(runs) == 2
    assert {"--require-hashes", "--no-deps", "--only-binary"} <= set(runs[0].split())
    assert {"--no-index", "--no-deps", "--no-build-isolation"} <= set(runs[1].split())
