"""What all requests share: settings, open schedulers, accounts, templates."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from triggers.base.plural import plural
from triggers.base.settings import Settings
from triggers.clearml_api.links import link
from triggers.console import wording
from triggers.console.access import Attempts, Links, Proxy, Sessions
from triggers.console.ended import EndedSessions
from triggers.console.schedulers import Schedulers
from triggers.explain.actions import further_actions
from triggers.operate import api_budget, history
from triggers.operate.wording import column_of_objects

_HERE: Final = Path(__file__).parent
STATIC: Final = _HERE / "static"


@dataclass(frozen=True)
class Site:
    """One console.

    Attributes:
        owner: Who is noted for changes of those who came by a link.
        clock: Gives seconds since the epoch: sessions and links end by it.
    """

    settings: Settings
    schedulers: Schedulers
    sessions: Sessions
    ended: EndedSessions
    proxy: Proxy
    hosts: frozenset[str]
    owner: str
    clock: Callable[[], float] = time.time
    links: Links = field(default_factory=Links)
    attempts: Attempts = field(default_factory=Attempts)

    def render(self, template: str, **values: Any) -> str:
        """The text of a page; all that is not markup of ours is escaped."""
        return _environment().get_template(template).render(site=self, **values)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_harmless,
    )
    made.globals.update(
        badge=wording.badge, moment=wording.moment, ahead=wording.ahead, exactly=wording.exactly, zoned=wording.zoned,
        sparkline=wording.sparkline, short=wording.short, path=wording.path,
        plural=plural, firing_end=wording.firing_end, link=link, static=static, kept_lines=wording.kept_lines,
        rest_of_calls=api_budget.rest, action_labels=history.action_labels, further_actions=further_actions,
        column_of_objects=column_of_objects,
    )  # fmt: skip
    made.filters["in_lines"] = wording.in_lines
    return made


def _harmless(value: Any) -> Any:
    """Every text that a template shows: without control characters and marks that turn the direction of text."""
    if isinstance(value, str) and not hasattr(value, "__html__"):
        return wording.text(value)
    return "" if value is None else value


@cache
def static(name: str) -> str:
    """The address of a file of ours; it changes with its content, so that browsers may keep it for good."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?{digest}"
