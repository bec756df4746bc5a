"""Which ClearML server this is, and whether its changes can be read."""

from __future__ import annotations

import re
from typing import Final

from triggers.base.errors import Usage
from triggers.clearml_api.connection import Api

#: The first version whose lists can be filtered by the time of the last change; older ones ignore the filter.
OLDEST: Final = (1, 17)
#: The same for people.
OLDEST_TEXT: Final = ".".join(map(str, OLDEST))

_NUMBERS: Final = re.compile(r"(\d+)\.(\d+)")


def server_version(api: Api) -> str:
    """The version that the server gives; empty if it gives none."""
    return str(api.call("server.info", {}).data.get("version") or "")


def too_old(version: str) -> str:
    """Why a server of this version cannot be used; empty if it can, or if the text does not tell."""
    found = _NUMBERS.match(version)
    if found is None or tuple(map(int, found.groups())) >= OLDEST:
        return ""
    return (
        f"it is version {version}, and ClearML servers before {OLDEST_TEXT} ignore the filter by which changes are read"
    )


def require_supported(api: Api) -> None:
    """Refuse a server whose changes cannot be read.

    Raises:
        Usage: it is too old; the message names its version and what to do.
        Refused, ServerUnavailable: it does not tell.
    """
    if why := too_old(server_version(api)):
        raise Usage(f"the ClearML server {api.shown_host}: {why}; use one of version {OLDEST_TEXT} or later")
