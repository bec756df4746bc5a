"""This process as others see it: which script or file of triggers it runs, and what that declares."""

from __future__ import annotations

import hashlib
import os
import socket
import sys
from collections.abc import Iterable, Mapping

from triggers.actions.functions import Function, display_name
from triggers.ledger.deployment.leaders import Leader
from triggers.model import Trigger


def holder(triggers: Iterable[Trigger], functions: Mapping[str, Function], sources: Mapping[str, str]) -> Leader:
    """This process with a digest of what it declares."""
    called = {id_: display_name(function) for id_, function in functions.items()}
    declared = sorted(f"{t.id} {t.digest} {called.get(t.id, '')}" for t in triggers)
    content = hashlib.sha256("\n".join(declared).encode()).hexdigest()[:16]
    return Leader(socket.gethostname(), os.getpid(), script(sources), content)


def script(sources: Mapping[str, str]) -> str:
    """What declares the triggers: the script of this process, or the file that `up -f` was given."""
    files = {source for source in sources.values() if not source.endswith(".py") and not source.startswith("<")}
    if len(files) == 1:
        return files.pop()
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    return os.path.abspath(main) if main else "an interactive session"
