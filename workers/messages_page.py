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

A message is a hint: it says where to look and carries no data. It may be lost, repeated or late, and nothing is lost or
launched twice. A queue keeps the newest {LONGEST:,} hints. With `TRIGGERS_SIGNING_KEY`, the header `{HEADER}` signs
name and arguments; a worker rejects a message without a valid signature. Queues in Redis begin with `triggers:celery:`
(the prefix of `TRIGGERS_KEY_PREFIX`). Results are not stored.

| Celery task | sent to | arguments | sent |
|---|---|---|---|
"""

#: The arguments of a tick.
_ALSO: Final = "none, or the stages whose ticks come with it"

#: What each field of a notice means; a test compares the names with the class.
NOTICE_FIELDS: Final = {
    "kind": "`dead`, `stale` with the name of a stage, `held burst`, `API budget`, `API pause`, `alarm`, `over`, "
    "`left out`",
    "text": "what happened, in one line",
    "trigger": "name of the trigger, or empty",
    "owner": "`owner` of that trigger, or empty",
    "count": "how many dead letters, or how many notices were left out; else 1",
    "link": "page of the object in ClearML, else of the service task",
    "object": "id of the object, or empty",
}

_NOTICES = """
## Notices

The webhook of `TRIGGERS_NOTICE_WEBHOOK_URL` gets one JSON object by POST: `scheduler` (project and name of the service
task) and `notices`, a list of objects with these fields. With `TRIGGERS_NOTICE_WEBHOOK_SECRET`, the header
`X-Triggers-Signature` is `sha256=` and the HMAC-SHA256 of `<X-Triggers-Timestamp>.<body>`. An answer below 300 is
success; anything else is sent again within 15 s if no place took the notice. Redirects are not followed. An answer may
take 5 s.

| field | type | meaning |
|---|---|---|
"""

_LOGS = """
## Log lines

With `TRIGGERS_LOG_FORMAT=json`, each line of a worker's log is a JSON object with `at`, `level`, `logger`, `message`,
after an exception `error`, and those of these fields that the line is about:
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
