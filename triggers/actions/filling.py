"""What the references in an action's texts stand for, for one firing."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from triggers.actions import texts
from triggers.base.errors import LaunchImpossible
from triggers.model.parts import firing_of

if TYPE_CHECKING:
    from triggers.actions.attempt import Attempt
    from triggers.actions.sending.secrets import Secrets

#: What the references of one action stand for together, characters: whoever names objects does not fill a worker.
LARGEST: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Filling:
    """Fills texts for one firing. A text is gone through once: what an object is called is never a reference itself."""

    values: Mapping[str, str]
    metrics: Mapping[str, float | None]
    secrets: Secrets | None = None

    def fill(self, value: Any, quote: Callable[[str], str] = str) -> Any:
        """Copy a value with its references replaced.

        Args:
            value: with strings at any depth.
            quote: makes what is put in harmless for where it stands; secrets are put in as they are.

        Raises:
            LaunchImpossible: a secret is not there, or names and tags of the object are too much.
        """
        plain, room = texts.lookup(self.values, self.metrics), LARGEST

        def found(name: str) -> str:
            nonlocal room
            if self.secrets is not None and name.startswith(("env:", "file:")):
                return self.secrets.of(name)
            text = quote(plain(name))
            room -= len(text)
            if room < 0:
                raise LaunchImpossible(
                    f"its references stand for more than {LARGEST:,} characters; have it refer to less"
                )
            return text

        return texts.fill(value, found)


def filling(attempt: Attempt, uses: Any, secrets: Secrets | None = None) -> Filling:
    """What the references in `uses` stand for. Metrics that the event does not hold are read from the server."""
    from triggers.clearml_api import edits  # declaring an action needs no server

    event, launched = attempt.event, launched_task(attempt)
    known = {key: metric.value for key, metric in event.metrics.items()}
    named = texts.metrics_in(uses)
    if event.kind != "model" and any(not any(key in known for key in texts.keys_of(name)) for name in named):
        known = {**edits.read_metrics(attempt.ctx.api, event.id), **known}
    place = pages(attempt)
    values = texts.values_of(
        event,
        url=place(event.kind, event.id),
        trigger=attempt.trigger.name,
        firing=firing_of(attempt.firing.key),  # the same for all of its actions: one opens what another closes
        at=iso(attempt.firing.granted_ms),
        launched=launched,
        launched_url=place("task", launched),
    )
    return Filling(values, known, secrets)


def iso(ms: int) -> str:
    """A time as texts have it."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def launched_task(attempt: Attempt) -> str:
    """Id of the ClearML task that the trigger launched for this firing; "" for none."""
    return attempt.launched_id


@dataclass(frozen=True, slots=True)
class _Place:
    web: str
    host: str


def pages(attempt: Attempt) -> Callable[[str, str], str]:
    """Gives the page of an object, by kind and id, of the scheduler's web application."""
    from triggers.clearml_api.links import link

    ledger, api = attempt.ctx.ledger, attempt.ctx.api
    record = ledger.record()
    web = record.web if record else os.environ.get("CLEARML_WEB_HOST", "")
    place = _Place(web, api.credentials.host)
    return lambda kind, id_: link(place, kind, id_)
