"""The wheel: what is in it."""

from __future__ import annotations

import zipfile
from pathlib import Path

from tests.integration.packaging.installation import REPOSITORY


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_wheel_has_every_file_of_the_packages_and_nothing_else(wheel: Path) -> None:
    wanted = {
        str(path.relative_to(REPOSITORY))
        for package in ("clearml_triggers", "triggers", "workers")
        for path in (REPOSITORY / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }
    found = {name for name in names(wheel) if ".dist-info/" not in name}
    assert found == wanted
    assert {"triggers/py.typed", "workers/py.typed", "triggers/ledger/scripts/poll_commit.lua"} <= found
    assert "triggers/cli/demo/script.py" in found


def test_wheel_has_its_license_and_describes_itself(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        text = archive.read(metadata).decode()
        licence = next(name for name in archive.namelist() if name.endswith("/LICENSE"))
        assert "Apache License" in archive.read(licence).decode()
    assert "License-Expression: Apache-2.0" in text
    for extra in ("dev", "flower", "sandbox"):
        assert f"Provides-Extra: {extra}" in text
