"""The error answers of the API: one function per code that was recorded, in the order of the codes.

11, 12 malformed request · 14 unknown field · 16 bad value · 2x, 3x credentials · 10x to 13x tasks and events
20x models · 40x projects · 70x queues · 800 stored-data validation · 801 duplicate
"""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """A call is answered with HTTP status `code`, `subcode` and a message."""

    def __init__(self, code: int, subcode: int, message: str, **data: Any) -> None:
        detail = ", ".join(f"{key}={value}" for key, value in data.items())
        super().__init__(f"{message}: {detail}" if detail else message)
        self.code, self.subcode, self.data = code, subcode, data


def bad_request() -> ApiError:
    """The body is not JSON."""
    return ApiError(400, 0, "The browser (or proxy) sent a request that this server could not understand.")


def bad_path(path: str) -> ApiError:
    """The path names no service and action."""
    return ApiError(400, 0, f"Invalid request path {path}")


def unknown_endpoint(name: str, version: str) -> ApiError:
    """Nothing of that name in that version."""
    return ApiError(404, 0, f"Unable to find endpoint for name {name} and version {version}")


def moved_endpoint(instead: str) -> ApiError:
    """The call was withdrawn from this version."""
    what = "This endpoint is no longer supported for the requested api version"
    return ApiError(301, 1, f"{what} (use {instead})")


def unauthorized(subcode: int, reason: str) -> ApiError:
    """No, bad or unknown credentials: 10 header type, 20 none, 21 malformed, 22 unknown."""
    return ApiError(401, subcode, f"Unauthorized ({reason})")


def bad_token(reason: str) -> ApiError:
    """The token is not a token of this server, or it has expired."""
    return ApiError(401, 30, "Invalid token (invalid jwt token)", reason=reason)


def invalid_object(**data: Any) -> ApiError:
    """What tasks.started says of a missing task."""
    return ApiError(400, 10, "Invalid object id", **data)


def missing_fields(what: str) -> ApiError:
    """One of several fields is needed, and none was given."""
    return ApiError(400, 11, f"Missing required fields ({what})")


def invalid_request(message: str, **data: Any) -> ApiError:
    """A field is missing, of a wrong type, or two of them contradict each other."""
    return ApiError(400, 12, f"Validation error ({message})", **data)


def unknown_field(name: str) -> ApiError:
    """A name in only_fields or order_by that the kind of object has not."""
    what = "Lookup error (probably an invalid field name or unsupported nested field)"
    return ApiError(400, 14, what, err=f'Cannot resolve field "{name}"')


def bad_value(reason: str, **data: Any) -> ApiError:
    """A value that can not be read as what its field is."""
    return ApiError(400, 16, f"Invalid value for fields ({reason})", **data)


def empty_batch() -> ApiError:
    """A batch request without a line."""
    return ApiError(400, 17, "Batch request contains no items")


def quota_exceeded() -> ApiError:
    """More than the plan of a workspace allows; not recorded, but as hosted servers answer for what is stored."""
    return ApiError(400, 68, "The usage quota was exceeded: type=api_calls")


def too_many_calls() -> ApiError:
    """What a proxy or a hosted server says to calls that come too fast; not recorded."""
    return ApiError(429, 0, "Too many requests")


def bad_pattern(error: Exception) -> ApiError:
    """A malformed regular expression."""
    return ApiError(400, 21, "Malformed regular expression", err=error, extra_info=None)


def invalid_task(**data: Any) -> ApiError:
    """No such task."""
    return ApiError(400, 101, "Invalid task id", **data)


def invalid_status_change(current: str, new: str) -> ApiError:
    """The status machine has no such step."""
    message = "Invalid task status (Invalid status change)"
    return ApiError(400, 110, message, current_status=current, new_status=new)


def invalid_status(**data: Any) -> ApiError:
    """The call is not for tasks of this status."""
    return ApiError(400, 110, "Invalid task status", **data)


def task_not_deletable(reason: str, **data: Any) -> ApiError:
    """Delete or reset needs force."""
    return ApiError(400, 123, f"Task cannot be deleted ({reason})", **data)


def events_refused(reasons: dict[str, int]) -> ApiError:
    """Not one event of the batch was taken."""
    return ApiError(400, 131, "Events not added", **reasons)


def invalid_model(reason: str = "", **data: Any) -> ApiError:
    """No such model."""
    return ApiError(400, 201, f"Invalid model id ({reason})" if reason else "Invalid model id", **data)


def model_ready(**data: Any) -> ApiError:
    """The model is published already."""
    return ApiError(400, 203, "Model is ready", **data)


def model_has_task(**data: Any) -> ApiError:
    """The model's task is published."""
    reason = "Task that created this model exists (and published, use force=True to delete)"
    return ApiError(400, 206, reason, **data)


def invalid_project(**data: Any) -> ApiError:
    """No such project."""
    return ApiError(400, 401, "Invalid project id", **data)


def project_has_tasks(**data: Any) -> ApiError:
    """The project is in use."""
    return ApiError(400, 402, "Project has associated tasks (use force=true)", **data)


def invalid_project_name(name: str) -> ApiError:
    """A project name without any part."""
    return ApiError(400, 407, "Invalid project name", name=name)


def project_elsewhere(name: str) -> ApiError:
    """The new name of a project has another parent."""
    return ApiError(400, 408, "Cannot update project location. use projects.move instead", name=name)


def short_project_name() -> ApiError:
    """A part of a project name has less than three characters."""
    return invalid_request("Project name cannot be blank")


def invalid_queue(**data: Any) -> ApiError:
    """No such queue."""
    return ApiError(400, 701, "Invalid queue id", **data)


def queue_not_empty(**data: Any) -> ApiError:
    """Deleting it needs force."""
    return ApiError(400, 702, "Queue is not empty (use force=true to delete)", **data)


def not_in_queue(**data: Any) -> ApiError:
    """No such queue, or the task is not in it."""
    return ApiError(400, 703, "Invalid queue id or task not in queue", **data)


def already_queued(task: str) -> ApiError:
    """The task is in that queue."""
    return ApiError(400, 706, "Failed adding task to queue since task is already queued", task=task)


def invalid_data(**data: Any) -> ApiError:
    """The value can not be stored."""
    return ApiError(400, 800, "Data validation error", **data)


def name_too_short() -> ApiError:
    """Names of tasks, models and queues have at least three characters."""
    return invalid_data(name="String value is too short")


def project_exists(**data: Any) -> ApiError:
    """Project names are unique."""
    return ApiError(400, 801, "Project with the same name already exists", **data)


def not_unique(**data: Any) -> ApiError:
    """Queue names are unique, and so are new names of projects."""
    message = "Value combination already exists (unique field already contains this value)"
    return ApiError(400, 801, message, **data)
