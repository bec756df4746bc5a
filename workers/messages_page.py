"""The reference of all messages: `python -m workers.messages_page > docs/reference/messages.md`.

Celery messages from the table of stages, notices and log lines from the classes that make them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Final

from triggers.base.logs import FIELDS
from triggers.base.terminal import say_page
from triggers.notices.decide import Notice
from triggers.stages import table
from workers.queue_limits import LONGEST
from workers.signed import HEADER

_HEAD = f"""# Messages

Written by `python -m workers.messages_page` from the table of stages, the form of notices and the fields of log lines.

## Celery messages

A message is a hint: it says where to look and carries no data. If it is lost, repeated or late, no change is lost or
launched twice. A queue keeps the newest {LONGEST:,} hints. With `TRIGGERS_SIGNING_KEY`, the header `{HEADER}` signs
name and arguments, and workers reject messages without a valid signature. The keys of queues in Redis begin with
`triggers:celery:`, or with the prefix that `TRIGGERS_KEY_PREFIX` sets. Results are not stored.

| Celery task | sent to | arguments | sent |
|---|---|---|---|
"""

#: The arguments of a tick.
_ALSO: Final = "none, or further stages that tick with it"

#: What each field of a notice means; a test compares the names with the class.
NOTICE_FIELDS: Final = {
    "kind": "`dead`, `stale` with the name of a stage, `held burst`, `API budget`, `API pause`, `alarm`, `over`, "
    "`left out`",
    "text": "what happened, in one line",
    "trigger": "name of the trigger, or empty",
    "owner": "`owner` of that trigger, or empty",
    "count": "number of dead letters, or of notices left out; otherwise 1",
    "link": "page of the object in ClearML, or of the service task",
    "object": "id of the object, or empty",
}

_NOTICES = """
## Notices

A worker posts one JSON object to `TRIGGERS_NOTICE_WEBHOOK_URL`: `scheduler` (project and name of the service task) and
`notices`, a list of objects with the fields below. With `TRIGGERS_NOTICE_WEBHOOK_SECRET`, the header
`X-Triggers-Signature` is `sha256=` and the HMAC-SHA256 of `<X-Triggers-Timestamp>.<body>`.

An answer with a status below 300 within 5 s is success. Redirects are not followed. If no receiver accepts a notice, a
worker sends it again within 15 s.

| field | type | meaning |
|---|---|---|
"""

_LOGS = """
## Log lines

With `TRIGGERS_LOG_FORMAT=json`, each line of a worker's log is a JSON object with `at`, `level`, `logger` and
`message`. After an exception, it also has `error`. If the line concerns one of these, it has that field, too:
"""


def page() -> str:
    """The reference page."""
    return _HEAD + "".join(_celery()) + _NOTICES + "".join(_notices()) + _LOGS + "".join(_logs())


def _celery() -> Iterator[str]:
    for stage in table.STAGES:
        if stage.queues:
            arguments = ", ".join(["scheduler id", *(stage.hint or ())]) if stage.hint is not None else _ALSO
            queues = ", ".join(f"`{queue}`" for queue in stage.queues)
            yield f"| `{stage.task}` | {queues} | {arguments} | {table.runs(stage)} |\n"


def _notices() -> Iterator[str]:
    for field in fields(Notice):
        type_ = {"str": "text", "int": "whole number"}[str(field.type)]
        yield f"| `{field.name}` | {type_} | {NOTICE_FIELDS[field.name]} |\n"


def _logs() -> Iterator[str]:
    yield "\n"
    yield from (f"- `{name}`\n" for name in FIELDS)


if __name__ == "__main__":
    say_page(page(), end="")
