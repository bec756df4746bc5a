"""The keys of sandboxes that run in the foreground, for other processes of the same user: in files of that user alone.

They are not given out over HTTP: whoever reaches the port may be another user, or a web page in this user's browser.
"""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from pathlib import Path


def folder() -> Path:
    """Where they lie."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return Path(runtime, "clearml-triggers") if runtime else Path.home() / ".clearml-triggers" / "sandboxes"


def keep(port: int, instance: str, env: dict[str, str]) -> None:
    """Write down how to use the sandbox at a port; nowhere to write is not an error."""
    with suppress(OSError, RuntimeError):  # a user without a home folder
        place = folder()
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        if _is_ours(os.lstat(place)):
            fresh = place / f"{port}.{instance}"
            with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "w") as file:
                json.dump({"instance": instance, "env": env}, file)
            os.replace(fresh, place / f"{port}.json")


def forget(port: int, instance: str) -> None:
    """Delete them, unless another sandbox has taken the port since."""
    if known(port, instance) is not None:
        with suppress(OSError):
            (folder() / f"{port}.json").unlink()


def known(port: int, instance: str) -> dict[str, str] | None:
    """How to use the sandbox of that instance at a port; None if this user did not start it."""
    try:
        place = folder()
        if not _is_ours(os.lstat(place)):
            return None
        with open(os.open(place / f"{port}.json", os.O_RDONLY | os.O_NOFOLLOW)) as file:
            if not _is_ours(os.fstat(file.fileno())):
                return None
            content = json.load(file)
        env = {str(name): str(value) for name, value in content["env"].items()}
        return env if content["instance"] == instance else None
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _is_ours(found: os.stat_result) -> bool:
    return found.st_uid == os.getuid() and not found.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
