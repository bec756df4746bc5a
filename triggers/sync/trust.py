"""Which service tasks of a scheduler are believed. Anyone who may write to ClearML can mark a task of their own.

Believed are the tasks whose maker is the user of our key pair, the user who made this scheduler's present service task
(which Redis and the script know by its id), or one that `TRIGGERS_SERVICE_USERS` names. The server sets the maker.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from triggers.base.logs import logger
from triggers.clearml_api import Api, service
from triggers.clearml_api.service import Service
from triggers.clearml_api.workspace import user_of

log = logger(__name__)

#: Tasks that were named in the log by this process already; each is named once.
_named: set[str] = set()
_NAMED_AT_MOST: Final = 1000


def believed(
    api: Api, scheduler: str, own_task: str, users: Collection[str] = (), *, configuration: bool = False
) -> list[Service]:
    """The service tasks of all starts of a scheduler that are believed, the latest updated first.

    One request; one more where others crowd the first answer.

    Args:
        api: the server.
        scheduler: id of the scheduler.
        own_task: id of its present service task.
        users: ids of further users who run this scheduler (`Settings.service_users`).
        configuration: read the sections, too.
    """
    found = service.find(api, scheduler, configuration=configuration)
    makers = makers_of(api, own_task, users, found)
    strangers = [one for one in found if one.user not in makers]
    if strangers:
        _name(strangers)
        if len(found) >= service.RECENT:
            found = service.find(api, scheduler, configuration=configuration, users=makers)
    return [one for one in found if one.user in makers]


def makers_of(api: Api, own_task: str, users: Collection[str] = (), found: Collection[Service] = ()) -> set[str]:
    """Ids of the users whose service tasks are believed."""
    own = next((one for one in found if one.id == own_task), None)
    if own is None and own_task:
        own = service.read(api, own_task, configuration=False)
    return {user_of(api), *users, *([own.user] if own else ())} - {""}


def said_by(services: Collection[Service], name: str) -> str:
    """Which service task has a runtime property, for people."""
    found = next((one for one in services if name in one.runtime), None)
    return f"ClearML task {found.id}, made by user {found.user}" if found else "a ClearML task that is gone"


def _name(strangers: Collection[Service]) -> None:
    for one in strangers:
        if one.id not in _named and len(_named) < _NAMED_AT_MOST:
            _named.add(one.id)
            log.warning(
                "ClearML task %s claims to be a service task of this scheduler, but is not trusted: user %s made it, "
                "not the user who runs this scheduler. If that user runs it, too, add the id to "
                "TRIGGERS_SERVICE_USERS; otherwise ask that user, or delete the task",
                one.id,
                one.user or "(unknown)",
            )
