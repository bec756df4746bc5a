"""What the pages of the console show."""

from __future__ import annotations

import pytest

from tests.integration.console.conftest import Browser
from tests.integration.stages.conftest import World


@pytest.fixture
def past(world: World) -> World:
    """A scheduler with launched, held and failing firings, and a slot."""
    retry = world.trigger(name="retry", policy={"single_instance": True, "overlap": "queue"})
    nowhere = world.trigger(name="nowhere", action={"queue": "nowhere"})
    world.declare(retry, nowhere)
    world.step()
    world.fail_task(name="first training")
    world.step()
    world.fail_task(name="second training")
    world.step()
    return world


def test_every_page_answers_and_is_whole(past: World, browser: Browser) -> None:
    home = browser.home
    key = past.ledger.history.read()[0].firing
    object_id = past.ledger.history.read()[0].object
    pages = [
        "/", home, f"{home}?q=retry", f"{home}?state=held", f"{home}/triggers/task:retry", f"{home}/edit/task:retry",
        f"{home}/test/task:retry?since=1h", f"{home}/firings/{key}", f"{home}/objects/{object_id}", f"{home}/history",
        f"{home}/history?trigger=retry&what=launched&since=1h", f"{home}/workers", f"{home}/audit",
        *(f"{home}/waiting?tab={tab}" for tab in ("held", "failing", "dead", "slots")),
    ]  # fmt: skip
    for page in pages:
        answer = browser.get(page)
        assert answer.status_code == 200, (page, answer.text)
        assert answer.text.rstrip().endswith("</html>"), page
        assert "style=" not in answer.text, page
        assert "<script>" not in answer.text, page
