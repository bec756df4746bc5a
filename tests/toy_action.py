"""A toy action of the lane `act`: it sends to a receiver that tests hold up, let fail, or look at."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal

from triggers.actions.action import Action
from triggers.actions.attempt import Attempt
from triggers.actions.own_edits import editing, settle
from triggers.actions.table import ACTIONS
from triggers.base.errors import ServerUnavailable


@dataclass
class Post:
    """What has arrived."""

    host: str
    text: str
    key: str
    object: str
    launched: str = ""


@dataclass
class Receivers:
    """What the toys send to. `closed`: hosts that keep their requests; `failing`: those that answer with an error."""

    posts: list[Post] = field(default_factory=list)
    closed: set[str] = field(default_factory=set)
    failing: Counter[str] = field(default_factory=Counter)
    under_way: Counter[str] = field(default_factory=Counter)
    most: Counter[str] = field(default_factory=Counter)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def take(self, post: Post) -> None:
        with self.changed:
            self.under_way[post.host] += 1
            self.most[post.host] = max(self.most[post.host], self.under_way[post.host])
            self.changed.notify_all()
            try:
                self.changed.wait_for(lambda: post.host not in self.closed)
                self.posts.append(post)
                if self.failing[post.host]:
                    self.failing[post.host] -= 1
                    raise ServerUnavailable(f"{post.host} answers 500")
            finally:
                self.under_way[post.host] -= 1
                self.changed.notify_all()

    def open(self, host: str) -> None:
        with self.changed:
            self.closed.discard(host)
            self.changed.notify_all()

    def until(self, holds: Callable[[], Any], what: str, seconds: float = 20) -> None:
        with self.changed:
            deadline = time.monotonic() + seconds
            while not holds():
                assert self.changed.wait(max(0.0, deadline - time.monotonic())), f"not in time: {what}"

    def texts(self, host: str | None = None) -> list[str]:
        return [post.text for post in self.posts if host in (None, post.host)]

    def keys(self) -> list[str]:
        return [post.key for post in self.posts]


class Posting(Action):
    """Post a text to a host."""

    type: Literal["posting"] = "posting"
    host: str = "receiver"
    text: str = ""
    on: Literal["object", "launched"] = "object"
    edits: bool = False

    receivers: ClassVar[Receivers] = Receivers()

    @property
    def receiver(self) -> str:
        return self.host

    @property
    def after_launch(self) -> bool:
        return self.on == "launched"

    @property
    def edits_object(self) -> bool:
        return self.edits

    def words(self) -> str:
        return f"post {self.text!r} to {self.host or 'the server'}"

    def carry_out(self, attempt: Attempt) -> None:
        if self.edits:
            self.edit(attempt)
        self.receivers.take(Post(self.host, self.text, attempt.firing.key, attempt.firing.object, attempt.launched_id))
        attempt.launched("")

    def edit(self, attempt: Attempt) -> None:
        """Tag the object, if it does not have the tag."""
        settle(attempt)
        object_, api = attempt.firing.object, attempt.ctx.api
        (task,) = api.call("tasks.get_all", {"id": [object_], "only_fields": ["tags"]}).data["tasks"]
        if self.text in (task.get("tags") or []):
            return
        with editing(attempt, lambda event: replace(event, tags=(*event.tags, self.text))):
            api.call("tasks.edit", {"task": object_, "tags": [*(task.get("tags") or []), self.text], "force": True})


@contextmanager
def known() -> Iterator[Receivers]:
    """While it is entered, triggers can have the toy."""
    ACTIONS["posting"] = Posting
    Posting.receivers = Receivers()
    try:
        yield Posting.receivers
    finally:
        for host in list(Posting.receivers.closed):
            Posting.receivers.open(host)
        del ACTIONS["posting"]
