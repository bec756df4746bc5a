"""How the one child of local mode is started: its environment, its sys.path, its command."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

#: prefix of the environment variables that are meant for the child alone
PREFIX = "TRIGGERS_LOCAL_"
#: file descriptor of the pipe for `parent.watch_parent`
PARENT_DESCRIPTOR = PREFIX + "PARENT_FD"
#: file descriptor of the pipe whose end lets a child begin that was started early
HOLD_DESCRIPTOR = PREFIX + "HOLD_FD"
#: the variable of a setting that is for a shared Redis only
KEY_PREFIX = "TRIGGERS_KEY_PREFIX"
_OWN_FOLDER = PREFIX + "OWN_FOLDER"
_USER_PATH = PREFIX + "USER_PATH"

_DROPPED = frozenset(
    # under an agent these make the SDK fill Celery's options from the task's parameters, or run Task.init
    ("CLEARML_TASK_ID", "CLEARML_PROC_MASTER_ID", "TRAINS_TASK_ID", "TRAINS_PROC_MASTER_ID")
)
#: Celery lets such variables (CELERY_BROKER_URL, ...), meant for the user's other projects, override an app
_DROPPED_PREFIX = "CELERY_"

# Order of sys.path: the standard library, our folder, the child's own rest, then the user's. So functions
# of the user can be imported, but nothing of theirs (a workers.py in the current folder) takes our place.
# What is imported stays: the garbage collector looks at none of it, neither meanwhile (a seventh of the time) nor
# later.
_BOOTSTRAP = f"""
import gc, os, sys
gc.disable()
sys.path[:] = [p for p in sys.path if p]
import json
library = os.path.dirname(os.__file__)
archive = os.path.join(os.path.dirname(library), "python%d%d.zip" % sys.version_info[:2])
system = [p for p in sys.path if p == archive or p.startswith(library) and "-packages" not in p]
paths = system + [os.environ["{_OWN_FOLDER}"]] + sys.path + json.loads(os.environ["{_USER_PATH}"])
sys.path[:] = dict.fromkeys(paths)
from triggers.local.parent import end_with_parent, wait_until_released
end_with_parent(int(os.environ["{PARENT_DESCRIPTOR}"]))
from {{module}} import main
gc.freeze()
gc.enable()
held = os.environ.pop("{HOLD_DESCRIPTOR}", "")
if held:
    wait_until_released(int(held))
sys.exit(main())
"""


def child_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The parent's environment without what would make the child another ClearML or Celery process."""
    return {
        name: value
        for name, value in environ.items()
        if name not in _DROPPED and not name.startswith((_DROPPED_PREFIX, PREFIX))
    }


def bootstrap_environment() -> dict[str, str]:
    """What the bootstrap reads: the folder of our packages, and where the user's functions are found."""
    own = Path(__file__).parents[2]
    # '' is the current folder of an interactive session
    user_path = [os.path.abspath(entry) for entry in sys.path]
    return {_OWN_FOLDER: str(own), _USER_PATH: json.dumps(user_path)}


def child_command(module: str = "workers.local", *arguments: str) -> list[str]:
    """Command of a child: a fresh interpreter that finds our packages and runs `main` of a module of ours."""
    return [sys.executable, "-c", _BOOTSTRAP.replace("{module}", module), *arguments]
