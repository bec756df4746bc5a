"""Examples of schedules in a file: held without a server."""

from __future__ import annotations

import pytest

from triggers.base.errors import Usage
from triggers.configuration.document import parse
from triggers.configuration.examples import run

FILE = """
triggers:
- {kind: schedule, name: s, schedule_task_id: b, schedule_queue: q, cron: "30 2 * * *", timezone: Europe/Berlin}
- {kind: schedule, name: e, schedule_task_id: b, schedule_queue: q, every: 90m}
examples:
"""


def held(example: str) -> bool:
    (found,) = run(parse(FILE + f"- {example}", "f"))
    return found.passes


@pytest.mark.parametrize(
    ("example", "passes"),
    [
        ("{schedule: s, from: 2026-03-28T12:00, fires: ['2026-03-29T03:00:00+02:00', '2026-03-30T02:30']}", True),
        ("{schedule: s, from: 2026-10-24T12:00, fires: ['2026-10-25T02:30:00+02:00', '2026-10-26T02:30']}", True),
        ("{schedule: s, from: 2026-10-24T12:00, fires: ['2026-10-25T02:30:00+01:00']}", False),
        ("{schedule: e, from: '2026-01-01T00:00:00Z', fires: ['2026-01-01T01:30', '2026-01-01T03:00']}", True),
        ("{schedule: e, from: '2026-01-01T00:00:00Z', fires: []}", False),
    ],
)
def test_times_of_an_example_are_the_first_ones(example: str, passes: bool) -> None:
    assert held(example) is passes


@pytest.mark.parametrize(
    ("example", "what"),
    [
        ("{schedule: x, from: 2026-03-28T12:00, fires: []}", "0 schedules"),
        ("{schedule: s, from: soon, fires: []}", "ISO 8601"),
        ("{schedule: s, from: 2026-03-28T12:00, fires: true}", "a list of times"),
    ],
)
def test_what_cannot_be_read_is_reported(example: str, what: str) -> None:
    with pytest.raises(Usage, match=what):
        held(example)
