"""`make release` makes everything of a release up to the upload, in a copy of the sources."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.integration.packaging.installation import REPOSITORY
from tests.unit.test_requirements import pins


def test_a_release_holds_wheel_sources_and_what_the_image_is_made_of(tmp_path: Path):
    copy = tmp_path / "sources"
    leave = shutil.ignore_patterns("__pycache__", ".*", "*.egg-info", "build", "dist")
    shutil.copytree(REPOSITORY, copy, ignore=leave)
    (copy / ".venv").symlink_to(sys.prefix)
    environ = {**os.environ, "NO_COLOR": "1"}
    # with the environment that is there, however old it is
    make = ["make", "--old-file=.venv/.installed", "release"]
    made = subprocess.run(make, cwd=copy, env=environ, capture_output=True, text=True, timeout=110)
    assert made.returncode == 0, made.stdout + made.stderr
    assert made.stdout.count("PASSED") == 2, "twine has looked at both"
    assert len(list((copy / "dist").glob("*.whl"))) == len(list((copy / "dist").glob("*.tar.gz"))) == 1
    bill = json.loads((copy / "dist" / "clearml-triggers.cdx.json").read_text())
    assert bill["bomFormat"] == "CycloneDX"
    assert bill["metadata"]["component"]["name"] == "clearml-triggers"
    required = pins((REPOSITORY / "requirements.txt").read_text())
    listed = {part["name"]: part["version"] for part in bill["components"]}
    assert listed == {one.name: str(one.specifier).removeprefix("==") for one, _ in required.values()}
