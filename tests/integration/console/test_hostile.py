"""Names, tags and errors of others reach a page as text, however they are written."""

from __future__ import annotations

import json

import pytest

from tests.integration.console.conftest import Browser
from tests.integration.stages.conftest import World
from triggers.console import schedulers

MARKUP = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
TURNED = "safe\u202egnp.exe\u2066\x1b[31m"


def test_names_tags_and_reasons_of_others_are_text(world: World, browser: Browser) -> None:
    world.declare(world.trigger(name="retry", action={"queue": MARKUP[:40]}))
    world.step()
    task = world.fail_task(name=f"{MARKUP} {TURNED}", tags=[MARKUP, TURNED, "x" * 10_000])
    world.step()
    firing = world.ledger.history.read()[0].firing
    for page in ("", "/history", "/waiting?tab=failing", f"/objects/{task}", f"/firings/{firing}", "/test/task:retry"):
        answer = browser.get(browser.home + page)
        assert answer.status_code == 200, page
        assert "<script>" not in answer.text, page
        assert "<img src=x" not in answer.text, page
        assert not {"\u202e", "\u2066", "\x1b"} & set(answer.text), page
    assert "&lt;script&gt;" in browser.get(f"{browser.home}/objects/{task}").text


def test_addresses_of_others_are_text_and_lead_nowhere_else(browser: Browser) -> None:
    for path in (f"/objects/{MARKUP}", f"/triggers/{MARKUP}", f"/firings/{MARKUP}", f"/history?what={MARKUP}",
                 f"?q={MARKUP}", "/objects/..%2f..%2fetc%2fpasswd", "/find?q=" + "x" * 4000):  # fmt: skip
        answer = browser.get(browser.home + path)
        assert answer.status_code in (200, 400, 404), path
        assert "<script>" not in answer.text, path
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static//etc/passwd"):
        assert browser.get(path).status_code == 404, path


def test_open_pages_hear_of_a_change(world: World, browser: Browser) -> None:
    world.declare(world.trigger(name="retry"))
    world.step()
    with browser.session.get(f"{browser.console.url}{browser.home}/live", stream=True, timeout=60) as news:
        lines = news.iter_lines(decode_unicode=True)
        assert next(line for line in lines if line.startswith("event")) == "event: open"
        world.fail_task()
        world.step()
        assert next(line for line in lines if line.startswith("event")) == "event: changed"


def test_a_page_of_ten_thousand_triggers_costs_what_it_shows(
    world: World, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of requests to Redis does not grow with the number of triggers."""
    monkeypatch.setattr(schedulers, "_LOOK_SECONDS", float("inf"))  # a look between two counts would be counted
    counted = []
    for count in (60, 600):
        world.declare(*(world.trigger(name=f"trigger {number:05}") for number in range(count)))
        browser.get(browser.home)
        before = world.ledger.store.client.info("stats")["total_commands_processed"]
        text = browser.get(browser.home).text
        counted.append(world.ledger.store.client.info("stats")["total_commands_processed"] - before)
        assert text.count("/triggers/task%3Atrigger") == 50
        assert f"{count} triggers" in text
    assert counted[1] <= counted[0] + 5, json.dumps(counted)


def test_an_edit_with_markup_marks_and_ten_thousand_characters_is_text(world: World, browser: Browser) -> None:
    world.declare(world.trigger(name="retry"))
    long = "y" * 10_000
    texts = [
        f"triggers:\n- kind: task\n  name: {json.dumps(MARKUP)}\n  trigger_on_status: [failed]\n",
        f'triggers:\n- kind: task\n  name: "{TURNED[:5]}\\u202Egnp"\n  trigger_on_status: [{long}]\n',
        f"triggers:\n- kind: task\n  {MARKUP}: {TURNED}{long}\n",
        "triggers: &a [*a]\n", "\x00\x1b[31m", "!!python/object/apply:os.system [id]\n", "a: " * 10_000, "[" * 10_000,
    ]  # fmt: skip
    known = world.ledger.registry.version()
    for text in texts:
        answer = browser.do("apply", text=text)
        assert answer.status_code in (200, 400), (answer.status_code, text[:40])
        assert "<script>" not in answer.text, text[:40]
        assert "<img src=x" not in answer.text, text[:40]
        assert not {"\u202e", "\u2066", "\x1b", "\x00"} & set(answer.text), text[:40]
    assert world.ledger.registry.version() == known
