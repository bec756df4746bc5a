"""Whose objects these are, and what time it is there."""

from __future__ import annotations

from typing import Any, Final
from weakref import WeakKeyDictionary

from triggers.base.errors import Refused, ServerBusy, ServerUnavailable, TriggersError
from triggers.clearml_api.answers import field, objects, optional
from triggers.clearml_api.connection import Api
from triggers.clearml_api.credentials import Credentials
from triggers.model.events import milliseconds


def identity(api: Api) -> str:
    """Id of the workspace (the server's "company") that the key pair belongs to."""
    user = _current(api)
    company = field("users.get_current_user", user, "company", dict)
    return field("users.get_current_user", company, "id", str)


def user_of(api: Api) -> str:
    """Id of the user that the key pair belongs to, whom the server writes on all that is made with it; asked once."""
    if api not in _USERS:
        user = _current(api)
        _USERS[api] = field(_WHO, user, "id", str), optional(_WHO, user, "name", str)
    return _USERS[api][0]


def name_of_user(api: Api, id_: str = "") -> str:
    """Name of a user, of our own key pair's without an id; the id where the server gives no name."""
    own = user_of(api)
    if id_ in ("", own):
        return _USERS[api][1] or own
    try:
        found = objects(
            "users.get_all", api.call("users.get_all", {"id": [id_], "only_fields": ["name"]}).data, "users"
        )
    except Refused:
        return id_
    return next((str(one["name"]) for one in found if one.get("id") == id_ and one.get("name")), id_)


_WHO: Final = "users.get_current_user"
#: a key pair's user never changes
_USERS: WeakKeyDictionary[Api, tuple[str, str]] = WeakKeyDictionary()


def _current(api: Api) -> dict[str, Any]:
    return field("users.get_current_user", api.call("users.get_current_user", {}).data, "user", dict)


def does_answer(credentials: Credentials) -> bool:
    """Whether the server answers a call within three seconds, whatever it says."""
    api = Api(credentials, timeout_seconds=3.0)
    try:
        server_now_ms(api)
    except (Refused, ServerBusy):
        return True
    except TriggersError:
        return False
    finally:
        api.close()
    return True


def server_now_ms(api: Api, task_id: str | None = None) -> int:
    """The server's now in ms: changes that are made from here on have this time or a later one.

    Without a ClearML task of ours it is up to two seconds early (the HTTP `Date`). With one it is the time of
    a ping of that task, by the clock that stamps changes.

    Args:
        api: The server.
        task_id: A ClearML task of our own, such as the service task.
    """
    if task_id is None:
        return api.call("server.info", {}).server_ms
    try:
        api.call("tasks.ping", {"task": task_id})
    except Refused:  # it is gone
        return server_now_ms(api)
    answer = api.call("tasks.get_all", {"id": [task_id], "only_fields": ["last_change"]})
    try:
        return milliseconds(str(objects("tasks.get_all", answer.data, "tasks")[0]["last_change"]))
    except (IndexError, KeyError):
        return answer.server_ms
    except ValueError as error:
        raise ServerUnavailable(f"tasks.get_all: the last_change of {task_id} is not a time") from error


def latest_ms(api: Api, task_id: str) -> int:
    """The latest time in ms that the server's clocks have: the HTTP `Date`, and the one that stamps changes."""
    return max(server_now_ms(api), server_now_ms(api, task_id) if task_id else 0)
