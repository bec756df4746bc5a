"""Where ClearML's web pages show an object."""

from __future__ import annotations

import os
import re
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

from triggers.model.kinds import KINDS


class Linked(Protocol):
    """Whose pages are meant: a scheduler, by what is known of its server."""

    @property
    def web(self) -> str:
        """Address of the web pages, "" where none was registered."""

    @property
    def host(self) -> str:
        """Address of the API."""


def web_host(scheduler: Linked) -> str:
    """The address of the web pages: as registered, else by ClearML's own rules from that of the API."""
    named = scheduler.web or os.environ.get("CLEARML_WEB_HOST") or ""
    return (named or derived(scheduler.host)).rstrip("/")


def derived(api_host: str) -> str:
    """The address of the web pages that belongs to one of the API: port 8080 for 8008, `app.` for `api.`."""
    parts = urlsplit(api_host)
    host = re.sub(r"^(.*@)?api\.", r"\1app.", parts.netloc)
    return urlunsplit((parts.scheme, re.sub(r":8008$", ":8080", host), parts.path, "", ""))


def link(scheduler: Linked, kind: str, id_: str) -> str:
    """The page of an object of a kind; "" without an id, and for a kind that has no pages."""
    page = KINDS[kind].page if kind in KINDS else ""
    return f"{web_host(scheduler)}/projects/*/{page.format(id=id_)}" if id_ and page else ""
