"""The table of actions. If several could read one text, the first does; firings are carried out in its order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from triggers.actions.abort import Abort
from triggers.actions.action import Action
from triggers.actions.archive import Archive
from triggers.actions.clearml_task import TaskAction
from triggers.actions.comment import Comment
from triggers.actions.dequeue import Dequeue
from triggers.actions.enqueue import Enqueue
from triggers.actions.notify import Notify
from triggers.actions.publish import Publish
from triggers.actions.python_function import FunctionAction
from triggers.actions.reset import Reset
from triggers.actions.set_metadata import SetMetadata
from triggers.actions.tag import Tag
from triggers.actions.unarchive import Unarchive
from triggers.actions.webhook import Webhook

if TYPE_CHECKING:
    from triggers.actions.attempt import Attempt

#: Every action by its type. Nothing else lists them.
ACTIONS: Final[dict[str, type[Action]]] = {
    "task": TaskAction,
    "function": FunctionAction,
    "webhook": Webhook,
    "notify": Notify,
    "tag": Tag,
    "publish": Publish,
    "archive": Archive,
    "unarchive": Unarchive,
    "abort": Abort,
    "reset": Reset,
    "enqueue": Enqueue,
    "dequeue": Dequeue,
    "set_metadata": SetMetadata,
    "comment": Comment,
}


def carry_out(attempts: Sequence[Attempt]) -> None:
    """Carry out admitted firings, by kind of action; each attempt that was not done before is done afterwards."""
    for cls in ACTIONS.values():
        of_this = [attempt for attempt in attempts if not attempt.done and type(attempt.action) is cls]
        if of_this:
            cls.carry_out_each(of_this)
