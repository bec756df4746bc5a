"""One request of a person: who asks, about which scheduler, and the page that answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse, Response

from triggers.console.access import Person
from triggers.console.schedulers import ShownScheduler
from triggers.console.wording import path

if TYPE_CHECKING:
    from triggers.console.site import Site


@dataclass(frozen=True)
class Asked:
    """What a page function gets.

    `query`: of the address; `form`: what was posted, with all values of each field; `version`: of what open pages show.
    """

    site: Site
    person: Person
    url: str
    query: Mapping[str, str]
    shown: ShownScheduler | None = None
    parts: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, list[str]] = field(default_factory=dict)
    said: str = ""
    version: int = 0

    @property
    def scheduler(self) -> ShownScheduler:
        """The scheduler of the address."""
        assert self.shown is not None
        return self.shown

    @cached_property
    def now_ms(self) -> int:
        """Now by the ledger's clock."""
        return self.scheduler.target.ledger.now_ms()

    def given(self, name: str) -> str:
        """One field of what was posted, "" without it."""
        return (self.form.get(name) or [""])[0]

    def here(self, *parts: str, **query: Any) -> str:
        """An address of this scheduler."""
        return path("s", self.scheduler.id, *parts, **query)

    def page(self, template: str, code: int = 200, **values: Any) -> Response:
        """The page that a template makes."""
        text = self.site.render(template, asked=self, **values)
        return HTMLResponse(text, code)
