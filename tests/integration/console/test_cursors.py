"""Lists that go on behind a cursor show each entry once, also while entries come and go, whatever the cursor says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from urllib.parse import urlencode

import pytest

from tests.integration.console.conftest import Browser
from tests.integration.stages.conftest import World
from triggers.console.pages import history, overview, people, trigger, waiting

#: Entries of a page in these tests, and firings that wait.
SIZE, MANY = 7, 24


@pytest.fixture(autouse=True)
def _short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in (
        (waiting, "SIZE"),
        (people, "SIZE"),
        (history, "SIZE"),
        (overview, "SIZE"),
        (trigger, "_TIMELINE"),
    ):
        monkeypatch.setattr(module, name, SIZE)


def pages(browser: Browser, address: str, pattern: str) -> Iterator[list[str]]:
    """What each page of a list shows, as its links lead on; it is asked for when it is looked at."""
    while address:
        answer = browser.get(address)
        assert answer.status_code == 200, (address, answer.text)
        yield re.findall(pattern, answer.text)
        following = re.search(r'<a class="button" href="([^"]*(?:after|before)=[^"]*)">', answer.text)
        address = unescape(following[1]) if following else ""


def walk(
    browser: Browser, address: str, pattern: str, between: Callable[[list[str]], None] = lambda _: None
) -> list[str]:
    """Everything that a list shows, page by page, while something happens between two pages."""
    found: list[str] = []
    for shown in pages(browser, address, pattern):
        found += shown
        between(shown)
    return found


FIRING = r'type="checkbox" name="firing" value="([^"]+)"'


@pytest.fixture
def dead(world: World) -> list[str]:
    """Dead letters that died in the same millisecond, in the order in which they are listed."""
    return _waiting(world, max_attempts=1)


@pytest.fixture
def failing(world: World) -> list[str]:
    return _waiting(world, max_attempts=9)


def _waiting(world: World, max_attempts: int) -> list[str]:
    ctx = world.context(max_attempts=max_attempts)
    world.declare(*(world.trigger(name=f"nowhere {number}", action={"queue": "nowhere"}) for number in (1, 2)))
    world.step(ctx)
    for number in range(MANY // 2):
        world.fail_task(name=f"training {number}")
    for _ in range(3):
        world.step(ctx)
    ledger = world.ledger
    keys = [one.key for one in ledger.operations.dead()] or [one.key for one in ledger.retrying.failing()]
    assert len(keys) == MANY
    if max_attempts == 1:
        ledger.store.client.zadd(ledger.keys.dead, dict.fromkeys(keys, 1_764_000_000_123.0))
    return keys


def test_dead_letters_of_one_moment_are_shown_once_while_some_go(
    world: World, browser: Browser, dead: list[str]
) -> None:
    """Also while some go, those included that a cursor names."""
    gone: list[str] = []

    def between(shown: list[str]) -> None:
        gone.extend(shown[-2:])
        world.ledger.operations.drop_dead(shown[-2:], "tester")
        later = sorted(set(dead) - set(shown) - set(gone))[-1:]
        gone.extend(later)
        for key in later:
            world.ledger.operations.retry_dead(key)

    found = walk(browser, f"{browser.home}/waiting?tab=dead", FIRING, between)
    assert len(found) == len(set(found))
    assert set(dead) - set(gone) <= set(found)


def test_held_firings_are_shown_once_while_some_come_and_go(world: World, browser: Browser) -> None:
    world.declare(retry := world.trigger(name="retry"))
    world.pause(retry)
    world.step()
    for number in range(MANY):
        world.fail_task(name=f"training {number}")
    world.step()
    hold = f"pause:{retry.id}"
    held = [one.key for one in world.ledger.operations.held(hold)]
    assert len(held) == MANY
    world.ledger.store.client.zadd(world.ledger.keys.held(hold), dict.fromkeys(held, 1_764_000_000_123.0))

    def between(shown: list[str]) -> None:
        if shown:
            world.ledger.operations.drop_held(hold, shown[-1:], "tester")
            world.fail_task(name="one more")
            world.step()

    found = walk(browser, f"{browser.home}/waiting?{urlencode({'tab': 'held', 'hold': hold})}", FIRING, between)
    assert len(found) == len(set(found))
    assert set(held) <= set(found)


def test_failing_firings_are_shown_once_while_they_are_tried_again(
    world: World, browser: Browser, failing: list[str]
) -> None:
    def between(shown: list[str]) -> None:
        world.ledger.retrying.retry_now([*shown[:2], failing[-1], failing[0]])
        world.step(world.context(max_attempts=9))

    found = walk(browser, f"{browser.home}/waiting?tab=failing", FIRING, between)
    assert sorted(found) == sorted(failing)


def test_lines_of_the_audit_log_are_shown_once_while_others_are_written(world: World, browser: Browser) -> None:
    """Each change is one line, however the ends of changes lie between the beginnings of others."""
    audit = world.ledger.audit
    for number in range(10):
        with audit.change(f"outer {number}"), audit.change(f"middle {number}"), audit.change(f"inner {number}"):
            pass
    expected = [f"{word} {number}" for number in range(10) for word in ("outer", "middle", "inner")]

    def between(shown: list[str]) -> None:
        with audit.change("new one"), audit.change("new two"):
            pass

    found = walk(browser, f"{browser.home}/audit", r"<td>((?:outer|middle|inner|new) \w+)</td>", between)
    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize("query", ["", "?trigger=nowhere+1", "?what=dead", "?trigger=nowhere+2&what=granted"])
def test_entries_of_the_history_are_shown_once_while_others_come(
    world: World, browser: Browser, dead: list[str], query: str
) -> None:
    wanted = {
        (entry.what, entry.firing)
        for entry in world.ledger.history.read(count=1000)
        if ("nowhere" not in query or entry.trigger[-1] == query[17])
        and ("what=" not in query or entry.what == query.rpartition("=")[2])
    }

    def between(shown: list[str]) -> None:
        world.fail_task(name="one more")
        world.step()

    row = r'<td><span class="badge \w+"><span aria-hidden="true">.</span> (\w+)</span></td>.*?/firings/([\w-]+)"'
    found = walk(browser, f"{browser.home}/history{query}", f"(?s){row}", between)
    assert len(found) >= len(wanted) > SIZE
    assert len(found) == len(set(found))
    assert wanted <= {tuple(one) for one in found}


def test_triggers_are_shown_once_while_some_come_and_go(world: World, browser: Browser) -> None:
    known = [world.trigger(name=f"trigger {number:02}") for number in range(MANY)]
    world.declare(*known)
    declared = list(known)

    def between(shown: list[str]) -> None:
        declared[:] = [one for one in declared if one.name not in shown[-1:]]
        declared.append(world.trigger(name=f"trigger {len(declared):02} and another"))
        world.declare(*declared)

    found = walk(browser, browser.home, r'aria-label="Choose (trigger [^"]+)"', between)
    assert len(found) == len(set(found))
    assert {one.name for one in known} <= set(found)


#: Cursors that no link of ours has.
HOSTILE = [
    "x", "-1", "0", "²-0", "9" * 5000, f"{'9' * 400} key", "1e999 key", "nan key", "inf key", "-inf key", "0x10 key",
    "1 ",
    "1764000000123.0 <script>alert(1)</script>", "1764000000123.0 \0", "\0", "1-1\0", "1-1\n", "99999999999999999999-0",
    "0-99999999999999999999", "18446744073709551616-0", "+", "-", "(1-1", "1-1 COUNT 5", "\u202e1-1", '"><img src=x>',
    "../../etc/passwd", "%00", "[[", "$",
]  # fmt: skip


@pytest.mark.parametrize("cursor", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_cursor_is_refused_in_words_or_leads_to_an_empty_page(
    world: World, browser: Browser, dead: list[str], cursor: str
) -> None:
    home, hold = browser.home, "pause:task:nowhere 1"
    object_id = world.ledger.history.read()[0].object
    lists = {
        "/waiting?tab=dead": "after", f"/waiting?tab=held&hold={hold}": "after", "/waiting?tab=failing": "after",
        "/audit?": "before", "/history?": "before", "/history?what=dead": "before", "?": "after",
        "/triggers/task:nowhere 1?": "before", f"/objects/{object_id}?": "before",
    }  # fmt: skip
    for address, name in lists.items():
        answer = browser.get(f"{home}{address}&{urlencode({name: cursor})}")
        assert answer.status_code in (200, 400), (address, answer.status_code, answer.text)
        assert not {"<script>", "<img src=x"} & set(re.findall("<script>|<img src=x", answer.text)), address
        assert not {"\0", "\u202e"} & set(answer.text), address
        assert address in ("?", "/waiting?tab=failing") or answer.status_code == 400, address
        if answer.status_code == 400:
            assert "follow the links between its pages" in answer.text, address
