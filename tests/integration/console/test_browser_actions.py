"""Every change that a page offers, made with a mouse in a real browser; what it brought is read in the ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from tests.integration.console.chromium import Person, accessible, said
from tests.integration.console.scene import Scene
from triggers.console.verbs import VERBS
from triggers.ledger.deployment import schedulers

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("chromium")]

RETRY = "task:retry failed training"


def press(page: Page, name: str) -> None:
    page.get_by_role("main").get_by_role("button", name=name, exact=True).first.click()


def confirm(page: Page, label: str, question: str) -> None:
    """The question is on a page of its own, whose button has the focus."""
    expect(page.get_by_role("heading", level=1)).to_contain_text(question)
    press(page, label)


def entry(scene: Scene, id_: str) -> object:
    return scene.world.ledger.registry.snapshot().entries[id_]


def pause(scene: Scene, page: Page, home: str) -> None:
    page.goto(home)
    for name in ("retry failed training", "one at a time"):
        page.get_by_label(f"Choose {name}").check()
    press(page, "Pause")
    said(page, "Paused 2 triggers.")
    assert entry(scene, RETRY).paused  # type: ignore[attr-defined]


def resume(scene: Scene, page: Page, home: str) -> None:
    page.goto(f"{home}/triggers/dataset:retrain on new data")
    press(page, "Resume, skip what was missed")
    confirm(page, "Resume", "Missed changes never fire")
    said(page, "Resumed 1 trigger")
    assert not entry(scene, "dataset:retrain on new data").paused  # type: ignore[attr-defined]


def mute(scene: Scene, page: Page, home: str) -> None:
    page.goto(f"{home}/triggers/{RETRY}")
    page.get_by_label("Mute for").select_option("for 1 day")
    press(page, "Mute")
    said(page, "Muted 1 trigger for 1d.")
    expect(page.get_by_text("nobody is notified")).to_be_visible()
    assert scene.world.ledger.mutes.at(scene.world.ledger.now_ms())[RETRY]


def unmute(scene: Scene, page: Page, home: str) -> None:
    page.goto(f"{home}?state=muted")
    page.get_by_label("Choose evaluate published models").check()
    press(page, "Unmute")
    said(page, "Unmuted 1 trigger.")
    assert scene.world.ledger.mutes.at(scene.world.ledger.now_ms()) == {}


def delete(scene: Scene, page: Page, home: str) -> None:
    page.goto(f"{home}/triggers/task:clean up drafts")
    press(page, "Delete")
    confirm(page, "Delete", "Delete these triggers?")
    said(page, "Deleted 1 trigger.")
    assert entry(scene, "task:clean up drafts").retired  # type: ignore[attr-defined]
    page.goto(f"{home}/triggers/{RETRY}")
    expect(page.get_by_role("button", name="Delete")).to_have_count(0)  # its script would bring it back


def fire(scene: Scene, page: Page, home: str) -> None:
    page.goto(f"{home}/triggers/{RETRY}")
    page.get_by_role("link", name="Test").click()
    expect(page.get_by_text("Nothing is fired.")).to_be_visible()
    page.get_by_label("Objects changed since").fill("2d")
    press(page, "Test")
    expect(page.get_by_text("4 satisfy the condition now")).to_be_visible()
    press(page, "Fire")
    confirm(page, "Fire", "whatever its condition?")
    said(page, "Granted firing")


def apply(scene: Scene, page: Page, home: str) -> None:
    page.goto(f"{home}/triggers/{RETRY}")
    page.get_by_role("link", name="Edit").click()
    text = page.get_by_label("Trigger", exact=True)
    text.fill(text.input_value().replace("- training", "- train") + "  max_per_minute: 7\n")
    press(page, "Show the difference")
    expect(page.locator("del")).to_contain_text(["- training"])
    expect(page.locator("ins")).to_contain_text(["- train", "max_per_minute: 7"])
    confirm(page, "Apply", "Apply these changes?")
    said(page, "Applied: 0 added, 1 edited.")
    assert entry(scene, RETRY).trigger.policy.max_per_minute == 7  # type: ignore[attr-defined]


def retry(scene: Scene, page: Page, home: str) -> None:
    page.goto(f"{home}/firings/{scene.dead}")
    press(page, "Retry now")
    said(page, "The firing will be retried now.")
    assert scene.world.ledger.waiting.dead_count() == 2


def retry_dead(scene: Scene, page: Page, home: str) -> None:
    page.goto(f"{home}/waiting?tab=dead")
    for box in page.get_by_label("Choose firing").all()[:2]:
        box.check()
    press(page, "Retry")
    said(page, "2 dead letters will be retried.")
    assert scene.world.ledger.waiting.dead_count() == 1


def drop_dead(scene: Scene, page: Page, home: str) -> None:
    page.goto(f"{home}/waiting?tab=dead")
    page.get_by_label("all of them").check()
    press(page, "Drop")
    confirm(page, "Drop", "They never fire again for that change.")
    said(page, "Dropped 3 dead letters.")
    assert scene.world.ledger.waiting.dead_count() == 0


def retry_failing(scene: Scene, page: Page, home: str) -> None:
    page.goto(f"{home}/waiting?tab=failing")
    page.get_by_label("Choose firing").first.check()
    press(page, "Retry now")
    said(page, "1 firing will be tried now.")


def release_held(scene: Scene, page: Page, home: str) -> None:
    page.goto(f"{home}/waiting")
    page.get_by_role("link", name=f"slot:{scene.slot}").click()
    page.get_by_label("Choose firing").first.check()
    press(page, "Release")
    confirm(page, "Release", "past the pace of their trigger?")
    said(page, "Released 1 firing.")
    assert scene.world.ledger.operations.held_count(f"slot:{scene.slot}") == 1


def drop_held(scene: Scene, page: Page, home: str) -> None:
    page.goto(f"{home}/firings/{scene.held}")
    press(page, "Drop")
    confirm(page, "Drop", "They never fire again for that change.")
    said(page, "Dropped 1 firing.")
    assert scene.world.ledger.operations.held_count(f"slot:{scene.slot}") == 1


def release_slot(scene: Scene, page: Page, home: str) -> None:
    page.goto(f"{home}/waiting?tab=slots")
    page.get_by_label("Choose slot").check()
    page.get_by_label("even while its ClearML task runs").check()
    press(page, "Release")
    confirm(page, "Release", "Two may run at once then.")
    said(page, "Released slot")
    assert scene.slot not in scene.world.ledger.by_hand.slots()


ACTIONS: dict[str, Callable[[Scene, Page, str], None]] = {
    "pause": pause, "resume": resume, "mute": mute, "unmute": unmute, "delete": delete, "fire": fire, "apply": apply,
    "retry": retry, "retry-dead": retry_dead, "drop-dead": drop_dead, "retry-failing": retry_failing,
    "release-held": release_held, "drop-held": drop_held, "release-slot": release_slot,
}  # fmt: skip


def test_every_verb_is_tried() -> None:
    assert ACTIONS.keys() == VERBS.keys()


@pytest.mark.parametrize("verb", ACTIONS)
def test_a_change_is_made_from_a_page(scene: Scene, person: Person, verb: str) -> None:
    page = person.enter()
    posted = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    known = scene.world.ledger.audit.head().seq
    ACTIONS[verb](scene, page, person.home)
    assert {url.rpartition("/")[2] for url in posted} == {verb}
    assert scene.world.ledger.audit.head().seq > known
    assert scene.world.ledger.audit.read()[0].who == "tester (console)"


def test_a_change_that_is_not_confirmed_is_not_made(scene: Scene, person: Person) -> None:
    page = person.enter()
    page.goto(f"{person.home}/waiting?tab=dead")
    page.get_by_label("all of them").check()
    press(page, "Drop")
    page.get_by_role("link", name="Cancel").click()
    expect(page).to_have_url(f"{person.home}/waiting?tab=dead")
    assert scene.world.ledger.waiting.dead_count() == 3


def test_a_word_leads_to_what_it_names(scene: Scene, person: Person) -> None:
    page = person.enter()
    wanted = {
        "one at a time": "one at a time", scene.launched[-10:]: "Firing", scene.failed_task: "train resnet50, fold 3",
        "train resnet50, fold 3": "train resnet50, fold 3",
    }  # fmt: skip
    for word, heading in wanted.items():
        page.get_by_role("searchbox").fill(word)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text(heading)


def test_a_graph_leads_from_an_object_to_what_launched_it_and_on(scene: Scene, person: Person) -> None:
    page = person.enter()
    page.goto(f"{person.home}/objects/{scene.launched_task}")
    graph = page.locator(".graph")
    expect(graph.locator(".node")).to_have_count(3)
    graph.locator(f'.node[href*="{scene.failed_task}"]').click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("train resnet50, fold 3")
    expect(page.locator(f'.graph .node[href*="{scene.next_task}"]')).to_be_visible()


def test_the_nearest_miss_stands_out(scene: Scene, person: Person) -> None:
    page = person.enter()
    page.goto(f"{person.home}/objects/{scene.launched_task}")
    near = page.locator("details.nearest")
    expect(near).to_have_count(1)
    expect(near.get_by_text("nearest miss")).to_be_visible()
    assert near.get_attribute("open") is not None
    expect(near.locator("tr.miss")).not_to_have_count(0)


def test_an_edit_that_is_refused_can_be_corrected(scene: Scene, person: Person) -> None:
    """What was written is still there, with what is wrong with it."""
    page = person.enter()
    page.goto(f"{person.home}/edit/{RETRY}")
    text = page.get_by_label("Trigger", exact=True)
    edited = text.input_value() + "  max_per_minuet: 7\n"
    text.fill(edited)
    press(page, "Show the difference")
    expect(page.get_by_role("alert")).to_contain_text("max_per_minuet")
    expect(text).to_have_value(edited)
    text.fill(edited.replace("minuet", "minute"))
    press(page, "Show the difference")
    confirm(page, "Apply", "Apply these changes?")
    said(page, "Applied: 0 added, 1 edited.")


def test_several_schedulers_are_listed_with_how_they_do(scene: Scene, person: Person) -> None:
    known = scene.world.ledger.scheduler
    (one,) = [each for id_, each in schedulers.all_of(scene.world.ledger.store.client).items() if id_ == known]
    other = replace(one, name="Another scheduler", project="Vision")
    schedulers.put(scene.world.ledger.store.client, other)
    person.console.site.schedulers._look_at = 0.0
    page = person.enter()
    for row, dead in (("DevOps/Scheduler", "3"), ("Vision/Another scheduler", "")):
        expect(page.locator("tbody tr", has_text=row).locator("td").last).to_have_text(dead)
    accessible(page)
    page.get_by_role("link", name="Vision/Another scheduler").click()
    expect(page.get_by_text("No triggers are registered")).to_be_visible()
    page.get_by_role("link", name="All schedulers").click()
    page.get_by_role("link", name="DevOps/Scheduler").click()
    expect(page.get_by_label("Choose one at a time")).to_be_visible()
