"""Flower's settings: who may see it, and how much it remembers. Columns are set in workers/flower_settings.py."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_folder = os.path.expanduser(os.environ.get("TRIGGERS_SECRETS_DIR", ""))
_secret = Path(_folder, "flower_basic_auth")
if not _folder or not _secret.is_file():
    raise SystemExit("Flower needs NAME:PASSWORD in the file flower_basic_auth of the folder TRIGGERS_SECRETS_DIR")


class _Now(list[str]):
    """The password as the file has it now: Flower looks through the list at each request."""

    def __iter__(self) -> Iterator[str]:
        with suppress(OSError, UnicodeError):  # while it is being exchanged, the one before counts
            now = _secret.read_text("utf-8").strip()
            if ":" in now:
                self[:] = [now]
        return super().__iter__()


basic_auth = _Now([_secret.read_text("utf-8").strip()])
# looking only, also where somebody's environment says otherwise
read_only = True
max_tasks = 10_000
max_workers = 1_000
purge_offline_workers = 600
natural_time = False
