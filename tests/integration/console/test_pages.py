"""What the pages of the console show."""

from __future__ import annotations

import re

import pytest

from tests.integration.console.conftest import Browser, console_settings
from tests.integration.stages.conftest import World
from triggers.console.serve import serving
from triggers.context.api_account import hand_in


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


def test_a_first_load_is_small(past: World, browser: Browser) -> None:
    """The page and all that it loads, compressed as they are sent."""
    names = [f"trigger {number:05} with a name that says what it is for" for number in range(60)]
    past.declare(*(past.trigger(name=name) for name in names))
    page = browser.get(browser.home)
    files = re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)
    assert len(files) >= 6
    sizes = {file: sent(browser, file) for file in {*files, browser.home}}
    assert sum(sizes.values()) <= 150_000, sizes


def sent(browser: Browser, path: str) -> int:
    with browser.get(path, stream=True, headers={"accept-encoding": "gzip"}) as answer:
        assert answer.status_code == 200, path
        return len(answer.raw.read(decode_content=False)) + sum(map(len, answer.headers)) + 200


def test_long_lists_go_on_behind_a_cursor(world: World, browser: Browser) -> None:
    """Each dead letter and each line of the audit log once, also when some are gone between two pages."""
    world.ctx = world.context(max_attempts=1)
    world.declare(world.trigger(name="nowhere", action={"queue": "nowhere"}))
    world.step()
    for number in range(60):
        world.fail_task(name=f"training {number}")
    for _ in range(3):
        world.step()
    assert world.ledger.waiting.dead_count() == 60
    first = browser.get(f"{browser.home}/waiting?tab=dead").text
    shown = re.findall(r'name="firing" value="(\w+)"', first)
    world.ledger.operations.drop_dead(shown[-2:], "tester")
    after = re.search(r'href="([^"]*after=[^"]*)"', first)
    assert after
    second = browser.get(after[1].replace("&amp;", "&")).text
    rest = re.findall(r'name="firing" value="(\w+)"', second)
    assert (len(shown), len(rest), len({*shown, *rest})) == (50, 10, 60)
    for number in range(30):
        browser.do("pause" if number % 2 else "resume", trigger="task:nowhere")
        browser.do("mute", trigger="task:nowhere")
    lines, address = [], f"{browser.home}/audit"
    while address:
        text = browser.get(address).text
        lines += re.findall(r"<td>(pause|resume|mute)</td>", text)
        following = re.search(r'href="([^"]*before=[^"]*)"', text)
        address = following[1].replace("&amp;", "&") if following else ""
    assert len(lines) == 60


def test_calls_are_shown_against_the_budget(past: World) -> None:
    """What was counted this month, the limit, and what it brings: an end of polls and of all calls in so many words."""
    past.ledger.calls.settle({("poll", "tasks.get_all_ex", "200"): 1234, ("launch", "tasks.clone", "200"): 7}, None)
    hand_in(past.ledger.calls)
    made = past.ledger.calls.usage().made
    over = f"polls wait, and the last {(made + 5) // 100} calls are for launches"
    for limit, rest, look in ((10_000_000, "", ""), (made + 5, over, "bad"), (made, "none left", "bad")):
        with serving(console_settings(past, api_calls_per_month=limit), "127.0.0.1", 0) as console:
            browser = Browser(console).enter()
            overview = browser.get(browser.home).text
            assert f"<b>{made:,}</b><span>API calls this month of {limit:,}; " in overview
            assert f"{rest}</span>" in overview
            assert ("projected" in overview) is not bool(look)
            assert ('class="alarming"><a href="' + f'{browser.home}/workers"' in overview) is bool(look)
            workers = browser.get(f"{browser.home}/workers").text
            assert f"{made:,} of {limit:,} calls, {rest}" in workers
            assert re.search(r"poll 1,2\d\d", workers)
            shown = workers.partition("Calls to ClearML")[2].partition("</dl>")[0]
            assert ("badge bad" in shown) is bool(look)


def test_each_action_is_shown_with_its_own_state(world: World, browser: Browser) -> None:
    done, later = {"type": "tag", "add": ["seen"]}, {"type": "publish", "on": "launched"}
    closing = {"type": "comment", "text": "over"}
    world.declare(
        world.trigger(name="t", policy={"fire": "on_transition"}, actions=[done, later], on_resolved=[closing])
    )
    failed = world.fail_task()
    world.step()
    world.settle()
    (launched,) = world.history("launched")
    page = browser.get(f"{browser.home}/firings/{launched.firing}").text
    rows = re.findall(r"<tr><td>([\w.]+)</td>.*?(launched|acted|failing|dead|not begun)</(?:span|a)>", page, re.DOTALL)
    expected = {"0": "launched", "1": "acted", "2": "dead", "on_resolved.0": "not begun"}
    assert dict(rows) == expected
    history = browser.get(f"{browser.home}/history").text
    assert "action 1 (tag)" in history
    assert "action 2 (publish): " in history
    page = browser.get(f"{browser.home}/objects/{failed}").text
    why = page.partition("Why, and why not")[2].partition("</details>")[0]
    shown = {"action 1 (tag)": "acted", "action 2 (publish)": "dead", "on_resolved 0 (comment)": "not begun"}
    for label, state in shown.items():
        assert re.search(rf"{state}</span>(?:</a>)? <strong>{re.escape(label)}</strong>", why), label
