"""What a trigger does when it fires: one file an action, and the protocol by which ClearML tasks are launched.

Owns how an action is declared, written, shown and carried out. Taking, admitting and retrying firings is `stages`'.
Those that stand in `actions=[…]` are to be had here: `from triggers.actions import Tag, Webhook`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from triggers.actions.abort import Abort
    from triggers.actions.archive import Archive
    from triggers.actions.comment import Comment
    from triggers.actions.dequeue import Dequeue
    from triggers.actions.enqueue import Enqueue
    from triggers.actions.notify import Notify
    from triggers.actions.publish import Publish
    from triggers.actions.reset import Reset
    from triggers.actions.set_metadata import SetMetadata
    from triggers.actions.tag import Tag
    from triggers.actions.unarchive import Unarchive
    from triggers.actions.webhook import Webhook

#: Loaded on first use: parts of this package are needed where actions are not.
_MODULES: Final = {
    "Abort": "abort",
    "Archive": "archive",
    "Comment": "comment",
    "Dequeue": "dequeue",
    "Enqueue": "enqueue",
    "Notify": "notify",
    "Publish": "publish",
    "Reset": "reset",
    "SetMetadata": "set_metadata",
    "Tag": "tag",
    "Unarchive": "unarchive",
    "Webhook": "webhook",
}

__all__ = [
    "Abort", "Archive", "Comment", "Dequeue", "Enqueue", "Notify", "Publish", "Reset", "SetMetadata", "Tag",
    "Unarchive", "Webhook",
]  # fmt: skip


if not TYPE_CHECKING:  # to a type checker a name that is not here is an error

    def __getattr__(name: str) -> Any:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
