"""What the console of the service task says of the actions of a firing, and of what is only tried."""

from __future__ import annotations

import pytest

from triggers.actions import Tag, Webhook
from triggers.ledger.history.history import HistoryEntry
from triggers.model import make_trigger
from triggers.sync.report import console_line

TRIGGER = make_trigger(
    "task",
    name="t",
    trigger_on_status=["failed"],
    action=Webhook("https://hooks.example.com/a"),
    actions=[Tag(["seen"])],
    on_failed=[Webhook("https://hooks.example.com/b")],
)


@pytest.mark.parametrize(
    ("what", "firing", "level", "line"),
    [
        ("acted", "f-1", "info", "Trigger t, action 1 (tag): the object was "),
        ("dead", "f-f0", "warning", "Trigger t, on_failed 0 (webhook), is a dead letter for o: why"),
        ("acted", "f-tab", "info", "Trigger t, trial of action 0: hooks.example.com accepted the webhook"),
        ("acted", "f-1-tab", "info", "Trigger t, trial of action 1 (tag): the object was "),
        ("failed", "f-1", "warning", "Trigger t, action 1 (tag), failed and is tried again: why"),
        ("skipped", "f-1", "info", "Trigger t, action 1 (tag), was skipped: why"),
        ("skipped", "f-tab", "warning", "Trigger t, trial of action 0, failed: why"),
        ("skipped", "f-f0-tab", "warning", "Trigger t, trial of on_failed 0 (webhook), failed: why"),
    ],
)
def test_each_line_says_which_action_it_is_about(what: str, firing: str, level: str, line: str) -> None:
    fields = {"what": what, "trigger": "task:t", "object": "o", "firing": firing, "reason": "why"}
    entry = HistoryEntry.of("1-0", fields)
    said = console_line(entry, TRIGGER)
    assert said is not None
    assert (said[0], said[1][: len(line)]) == (level, line)


def test_the_start_of_a_trial_is_no_line_of_its_own() -> None:
    assert console_line(HistoryEntry("1-0", 1, "tried", "task:t", "o", "f-1-tab", "by hand", ""), TRIGGER) is None
