"""What people change from a page goes the way of the verbs, asks first, and is noted with their name."""

from __future__ import annotations

import re
from html import unescape

import pytest

from tests.integration.console.conftest import Browser
from tests.integration.stages.conftest import World


def test_pause_and_resume(world: World, browser: Browser) -> None:
    world.declare(world.trigger(name="retry"))
    assert "Paused 1 trigger." in browser.do("pause", trigger="task:retry").text
    assert world.ledger.registry.snapshot().entries["task:retry"].paused
    assert "Resumed 1 trigger" in browser.do("resume", trigger="task:retry").text
    assert not world.ledger.registry.snapshot().entries["task:retry"].paused
    assert [line.what for line in world.ledger.audit.read()] == ["resume", "pause"]
    assert world.ledger.audit.read()[0].who == "tester (console)"


def test_dead_letters_are_retried_and_dropped_in_batches(world: World, browser: Browser) -> None:
    world.ctx = world.context(max_attempts=1)
    world.declare(world.trigger(name="nowhere", action={"queue": "nowhere"}))
    world.step()
    for number in range(3):
        world.fail_task(name=f"training {number}")
    world.step()
    keys = [firing.key for firing in world.ledger.operations.dead()]
    assert len(keys) == 3
    assert "1 dead letter will be retried" in browser.do("retry-dead", firing=keys[0]).text
    asked = browser.do("drop-dead", firing=keys[1:])
    assert "Drop these dead letters?" in asked.text
    assert world.ledger.waiting.dead_count() == 2
    assert "Dropped 2 dead letters." in browser.do("drop-dead", firing=keys[1:], sure=True).text
    assert world.ledger.waiting.dead_count() == 0


@pytest.mark.parametrize("verb", ["drop-dead", "drop-held", "release-slot", "delete", "fire", "apply", "release-held"])
def test_what_cannot_be_undone_is_asked_first(world: World, browser: Browser, verb: str) -> None:
    from triggers.console.verbs import VERBS

    row = VERBS[verb]
    assert row.question is not VERBS["pause"].question, verb


def test_an_edit_shows_the_difference_before_it_is_applied(world: World, browser: Browser) -> None:
    world.declare(world.trigger(name="retry"))
    page = browser.get(f"{browser.home}/edit/task:retry").text
    text = page.partition('spellcheck="false">')[2].partition("</textarea>")[0]
    edited = f"{unescape(text)}  max_per_minute: 7\n"
    asked = browser.do("apply", text=edited, back=f"{browser.home}/triggers/task:retry")
    assert re.findall(r"<(ins|del)>.*?</span>\s*(.*?)</", asked.text) == [("ins", "max_per_minute: 7")]
    assert world.ledger.registry.snapshot().entries["task:retry"].trigger.policy.max_per_minute is None
    assert "Applied: 0 added, 1 edited." in browser.do("apply", text=edited, sure=True).text
    assert world.ledger.registry.snapshot().entries["task:retry"].trigger.policy.max_per_minute == 7
    wrong = browser.do("apply", text="triggers:\n- kind: task\n  nmae: x\n")
    assert wrong.status_code == 400
    assert "nmae" in wrong.text


def test_a_slot_of_a_running_task_is_released_by_force_only(world: World, browser: Browser) -> None:
    world.declare(world.trigger(name="retry", policy={"single_instance": True}))
    world.step()
    world.fail_task()
    world.step()
    (slot,) = world.ledger.by_hand.slots()
    refused = browser.do("release-slot", slot=slot, sure=True)
    assert refused.status_code == 400
    assert "stop it first" in refused.text
    assert "Released slot" in browser.do("release-slot", slot=slot, force="1", sure=True).text


def test_a_firing_by_hand_is_granted(world: World, browser: Browser) -> None:
    world.declare(world.trigger(name="retry"))
    world.step()
    task = world.fail_task()
    assert "whatever its condition" in browser.do("fire", trigger="task:retry", object=task).text
    assert "Granted firing" in browser.do("fire", trigger="task:retry", object=task, sure=True).text
    missing = browser.do("fire", trigger="task:retry", object="0" * 32, sure=True)
    assert missing.status_code == 400
    assert "is not on the server" in missing.text
