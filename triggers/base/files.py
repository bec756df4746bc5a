"""Every file that this project reads or writes: `python -m triggers.base.files > docs/reference/files.md`.

Names of the files of local mode are spelled in `triggers.local`; a test compares them with this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from triggers.base.terminal import say_page

#: The part of a path that is a scheduler's id.
_OWN = "STATE/ID"


@dataclass(frozen=True, slots=True)
class File:
    """One file, or a folder whose files belong to one program.

    Attributes:
        path: Where it is; words in capitals vary.
        written_by: The program that writes it.
        content: What is in it.
        lost: What happens if it is lost or deleted.
    """

    path: str
    written_by: str
    content: str
    lost: str


FILES: Final = (
    File(
        f"{_OWN}/appendonly.aof",
        "the private Redis, before Redis 7",
        "the append-only file: all state of the scheduler",
        "the next start continues from the state saved in the service task; see "
        "[state](../service-task.md#state-and-one-redis-for-one-scheduler)",
    ),
    File(f"{_OWN}/appendonlydir/", "the private Redis, from Redis 7 on", "the same, in several files", "the same"),
    File(
        f"{_OWN}/server.json",
        "the script, at each start",
        "which server wrote the files",
        "the script reads it from the files",
    ),
    File(f"{_OWN}/redis.conf", "the script, at each start", "configuration of the private Redis", "written again"),
    File(f"{_OWN}/redis.log", "the private Redis", "its log; an error at start quotes the end of it", "nothing"),
    File(
        f"{_OWN}/redis.sock",
        "the private Redis",
        "its Unix socket; in the folder for temporary files if the path has more than 100 bytes",
        "exists while the private Redis runs",
    ),
    File(
        f"{_OWN}/lock",
        "the script",
        "who uses the folder: process, host, address of the private Redis",
        "exists while the folder is in use; never delete it then",
    ),
    File(
        f"{_OWN}/health.json",
        "the worker process of the script",
        "its progress, every 2 s",
        "written again",
    ),
    File(
        "the file that `TRIGGERS_HEALTH_FILE` names",
        "each worker and beat",
        "its progress, every 2 s; `python -m clearml_triggers.health` reads it",
        "written again",
    ),
    File(
        "SECRETS/triggers_NAME, SECRETS/clearml_api_NAME, SECRETS/flower_basic_auth",
        "you",
        "one secret each, as text",
        "the secret counts as not set",
    ),
    File(
        "~/.clearml-triggers/sandboxes/PORT.json",
        "`clearml-triggers sandbox`",
        "keys of a running sandbox, for `--env`; in `$XDG_RUNTIME_DIR` if that is set",
        "`--env` does not find that sandbox",
    ),
    File(
        "~/clearml.conf", "you, or `clearml-init`", "address and keys of the ClearML server", "set `CLEARML_*` instead"
    ),
    File(
        "triggers.yaml (any name)",
        "you, or `clearml-triggers export`",
        "triggers as a file; `clearml-triggers export --schema` prints its JSON schema",
        "the registered triggers stay",
    ),
)

_HEAD = """# Files

Written from `triggers/base/files.py` by `python -m triggers.base.files`.

- STATE is the folder that `TRIGGERS_STATE_FOLDER` names, `~/.clearml-triggers` by default. A start is refused if other
  users may write to it. With `TRIGGERS_REDIS_URL`, nothing is written there.
- ID is the id of the scheduler. `start()` prints the path of its folder.
- SECRETS is the folder that `TRIGGERS_SECRETS_DIR` names.

| file | written by | content | if it is lost |
|---|---|---|---|
"""


def page() -> str:
    """The reference page."""
    rows = (f"| {_code(file.path)} | {file.written_by} | {file.content} | {file.lost} |\n" for file in FILES)
    return _HEAD + "".join(rows)


def _code(path: str) -> str:
    return path if " " in path and "/" not in path else ", ".join(f"`{one}`" for one in path.split(", "))


if __name__ == "__main__":
    say_page(page(), end="")
