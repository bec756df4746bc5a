"""`make release` makes everything of a release up to the upload, in a copy of the sources."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.integration.packaging.installation import REPOSITORY
from tests.unit.test_requirements import pins

PACKAGES = ("clearml_triggers", "triggers", "workers")


def release(folder: Path) -> Path:
    """The folder `dist` of a release that is made in a copy of the sources in `folder`."""
    copy = folder / "sources"
    leave = shutil.ignore_patterns("__pycache__", ".*", "*.egg-info", "build", "dist")
    shutil.copytree(REPOSITORY, copy, ignore=leave, copy_function=shutil.copyfile)
    (copy / ".venv").symlink_to(sys.prefix)
    environ = {**os.environ, "NO_COLOR": "1"}
    # with the environment that is there, however old it is
    make = ["make", "--old-file=.venv/.installed", "release"]
    made = subprocess.run(make, cwd=copy, env=environ, capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    assert made.stdout.count("PASSED") == 2, "twine has looked at both"
    return copy / "dist"


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return release(tmp_path_factory.mktemp("release"))


def test_a_release_holds_wheel_sources_and_what_the_image_is_made_of(dist: Path):
    assert len(list(dist.glob("*.whl"))) == len(list(dist.glob("*.tar.gz"))) == 1
    bill = json.loads((dist / "clearml-triggers.cdx.json").read_text())
    assert bill["bomFormat"] == "CycloneDX"
    assert bill["metadata"]["component"]["name"] == "clearml-triggers"
    required = pins((REPOSITORY / "requirements.txt").read_text())
    listed = {part["name"]: part["version"] for part in bill["components"]}
    assert listed == {one.name: str(one.specifier).removeprefix("==") for one, _ in required.values()}


def sources() -> set[str]:
    """Every file of the packages."""
    files = (file for name in PACKAGES for file in (REPOSITORY / name).rglob("*") if file.is_file())
    return {str(file.relative_to(REPOSITORY)) for file in files if "__pycache__" not in file.parts}


def test_wheel_and_sources_hold_every_file_of_the_packages_and_nothing_of_tests_or_deployment(dist: Path):
    (wheel,), (archive,) = dist.glob("*.whl"), dist.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as opened:
        shipped = {name for name in opened.namelist() if ".dist-info/" not in name}
    assert shipped == sources()
    with tarfile.open(archive) as packed:
        members = {member.name.partition("/")[2]: member for member in packed.getmembers() if member.isfile()}
    beside = {
        name for name in members if not name.startswith((*(f"{one}/" for one in PACKAGES), "clearml_triggers.egg"))
    }
    assert set(members) >= sources()
    assert beside == {
        *("PKG-INFO", "README.md", "LICENSE", "pyproject.toml", "setup.cfg", "MANIFEST.in"),
        *("CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "SECURITY.md", "constraints.txt"),
    }
    assert {(member.uname, member.uid) for member in members.values()} == {("", 0)}, "no name of who built it"


def test_the_same_sources_give_the_same_bytes(dist: Path, tmp_path: Path):
    again = release(tmp_path)
    for first in (*dist.glob("*.whl"), *dist.glob("*.tar.gz")):
        assert (again / first.name).read_bytes() == first.read_bytes(), first.name
