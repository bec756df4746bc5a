"""Who may use the control address: programs that mean it, under a name of this very host. No web page can.

It asks for no keys, and can do anything to the server. A page in a browser of this machine could reach it: by itself,
if any request would do, or after its own name was pointed to this machine (DNS rebinding). So every request has a
header that a page cannot send elsewhere without asking first, and names the server as a host that no page has.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from typing import Final

#: The header that programs send.
HEADER: Final = "X-ClearML-Sandbox"
VALUE: Final = "control"
#: What browsers add to requests of pages.
_OF_PAGES: Final = ("origin", "sec-fetch-site", "referer")


def refusal(headers: Mapping[str, str]) -> str:
    """Why a request to the control address is refused; "" for one that is not. Names of headers in small letters."""
    if not is_own_host(headers.get("host", "")):
        asked = headers.get("host", "")
        return f"the control address answers under this machine's own names only, and this asks for {asked!r:.80}"
    if any(name in headers for name in _OF_PAGES):
        return "the control address is not for web pages"
    if headers.get(HEADER.lower()) != VALUE:
        return f"requests to the control address carry the header {HEADER}: {VALUE}"
    return ""


def is_own_host(host: str) -> bool:
    """Whether a Host header names this machine so that no page elsewhere can have that name.

    An address, a name without dots (of this network, such as that of a container), or this machine's own name.
    """
    name = _without_port(host).lower()
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return bool(name) and ("." not in name or name == socket.gethostname().lower())
    return True


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]
