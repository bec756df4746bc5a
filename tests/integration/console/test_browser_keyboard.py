"""The console without a mouse: everything is reached by Tab, seen to be reached, and done by Enter and Space."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.integration.console.chromium import Person, said
from tests.integration.console.looks import addresses
from tests.integration.console.scene import Scene

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("chromium")]

#: Everything that a mouse can use on a page and that is seen.
_USABLE = """() => [...document.querySelectorAll('a[href], button, input, select, textarea, summary')]
  .filter((one) => !one.disabled && one.type !== 'hidden' && one.checkVisibility())
  .map((one, place) => { one.dataset.place = place; return place; })"""
_FOCUSED = """() => { const one = document.activeElement, style = getComputedStyle(one);
  return [one.dataset.place ?? '', one.matches('.skip') || style.outlineStyle !== 'none', one === document.body]; }"""
#: News would take away the marks by which elements are counted.
_NO_NEWS = "window.EventSource = class { addEventListener() {} close() {} };"


def reached(page: Page) -> tuple[set[str], set[str]]:
    """What is to be reached, and what Tab reaches; each shows that it has the focus."""
    wanted = {str(place) for place in page.evaluate(_USABLE)}
    found: set[str] = set()
    for _ in range(4 * len(wanted) + 20):
        page.keyboard.press("Tab")
        place, is_seen, is_out = page.evaluate(_FOCUSED)
        if is_out:
            break
        assert is_seen, f"{page.url}: element {place} does not show its focus"
        found.add(str(place))
    return wanted, found


def walk(page: Page, name: str, role: str = "button") -> None:
    """Press Tab until that has the focus."""
    goal = page.get_by_role(role, name=name, exact=True)  # type: ignore[arg-type]
    for _ in range(150):
        page.keyboard.press("Tab")
        if any(one.evaluate("(one) => one === document.activeElement") for one in goal.all()):
            return
    pytest.fail(f"{page.url}: Tab does not lead to {name!r}")


def test_tab_reaches_everything_on_every_page(scene: Scene, person: Person) -> None:
    page = person.enter()
    page.context.add_init_script(_NO_NEWS)
    for address in addresses(scene).values():
        page.goto(person.home + address)
        wanted, found = reached(page)
        assert wanted - found == set(), page.url


def test_a_trigger_is_found_paused_and_resumed_by_keys(scene: Scene, person: Person) -> None:
    page = person.enter()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    walk(page, "Find a trigger, a firing or an object", "searchbox")
    page.keyboard.type("one at a time")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("one at a time")
    walk(page, "Pause")
    page.keyboard.press("Enter")
    said(page, "Paused 1 trigger.")
    walk(page, "Resume, skip what was missed")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Resume", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    said(page, "Resumed 1 trigger")


def test_dead_letters_are_chosen_and_dropped_by_keys(scene: Scene, person: Person) -> None:
    page = person.enter()
    page.goto(f"{person.home}/waiting?tab=dead")
    walk(page, f"Choose firing {scene.dead[-10:]}", "checkbox")
    page.keyboard.press("Space")
    walk(page, "Drop")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Drop", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    said(page, "Dropped 1 dead letter.")
    assert scene.world.ledger.waiting.dead_count() == 2


def test_an_edit_is_made_by_keys(scene: Scene, person: Person) -> None:
    page = person.enter()
    page.goto(f"{person.home}/edit/task:one at a time")
    walk(page, "Trigger", "textbox")
    page.keyboard.press("Control+End")
    page.keyboard.type("  max_per_minute: 7\n")
    walk(page, "Show the difference")
    page.keyboard.press("Enter")
    expect(page.locator("ins")).to_contain_text(["max_per_minute: 7"])
    expect(page.get_by_role("button", name="Apply")).to_be_focused()
    page.keyboard.press("Enter")
    said(page, "Applied: 0 added, 1 edited.")
