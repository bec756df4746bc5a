"""What ClearML's web pages, Slack, webhooks and dashboards get of hostile names."""

from __future__ import annotations

import inspect
import io
import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import pytest

from tests.unit.output.test_escaping import HOSTILE, holds_unsafe
from triggers.base.settings import Settings
from triggers.clearml_api import service
from triggers.clearml_api.service import ConsoleLine, Plot
from triggers.ledger.history.history import HistoryEntry
from triggers.model import make_trigger
from triggers.notices import Notice, send
from triggers.sync import report
from triggers.sync.report import LaunchRow

MARKUP = f"<img src=x onerror=alert(1)>{HOSTILE}"


@dataclass
class _Tags(HTMLParser):
    found: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def texts_in(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts_in(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts_in(item)]
    return [value] if isinstance(value, str) else []


def hostile_trigger() -> Any:
    return make_trigger(
        "task", name=MARKUP, trigger_on_tags=[f"t{MARKUP}"], trigger_project=MARKUP,
        action={"type": "task", "base_task_id": MARKUP, "queue": MARKUP, "parameters": {MARKUP: MARKUP}},
    )  # fmt: skip


@pytest.mark.parametrize("web", ["https://app", "javascript:alert(1)//", '"><script>', f"http://{MARKUP}"])
def test_tables_and_plots_hold_no_markup_but_links_to_clearml(web: str):
    launches = [LaunchRow(f"task:{MARKUP}", MARKUP, 0, MARKUP), LaunchRow(MARKUP, "", 0, MARKUP)]
    bodies = [
        report.table_plot("t", report.trigger_table("task", [hostile_trigger()], web)),
        report.table_plot("t", report.executed_table(launches, web)),
        report.table_plot("t", [[MARKUP], [MARKUP]]),
        report.firings_plot([(f"task:{MARKUP}", 0)]),
        report.delays_plot([(f"task:{MARKUP}", 0, 0)]),
    ]
    for body in bodies:
        assert not holds_unsafe(body)
        tags = _Tags()
        for text in texts_in(json.loads(body)):
            assert not holds_unsafe(text)
            tags.feed(text)
        for tag, attributes in tags.found:
            assert (tag, set(attributes)) == ("a", {"href"})
            assert re.match(r"https?://", str(attributes["href"]))


def test_every_line_of_the_service_tasks_console_is_one_line():
    sent: list[Any] = []

    class Api:
        def call(self, endpoint: str, body: Any) -> None:
            sent.extend(body)

    said = [
        report.console_line(
            HistoryEntry("1-0", 0, what, f"task:{HOSTILE}", HOSTILE, "f", HOSTILE, task), hostile_trigger()
        )
        for what in ("launched", "shadow", "skipped", "held", "failed", "dead")
        for task in ("", HOSTILE)
    ]
    lines = [ConsoleLine(0, *one) for one in said if one]
    assert len(lines) >= 10
    service.report(Api(), "t", lines, [Plot("p", 0, "{}")])  # type: ignore[arg-type]
    assert [event for event in sent if event["type"] == "log" and holds_unsafe(event["msg"])] == []


def test_notices_hold_nothing_that_slack_or_a_reader_of_json_acts_on(monkeypatch: pytest.MonkeyPatch):
    posted: list[bytes] = []
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(send, "_post", lambda url, body, headers: posted.append(body) or True)
    monkeypatch.setattr(send.channels, "send", lambda address, _, text, **options: told.append((address, text)))
    places = ("http://slack/hook", "https://hooks.slack.com/services/T/B/X")
    mention = "<!channel> <@U1> <http://evil|ClearML> & co @everyone"
    for place in places:
        of = Settings(notice_webhook_url="http://hook", notice_slack_url=place, notice_to="discord://a/b")
        assert send.send([Notice("dead", f"{mention}{HOSTILE}", HOSTILE, mention, link="http://x")], mention, of)
    assert not holds_unsafe(posted[0].decode())
    assert json.loads(posted[0])["notices"][0]["text"] == f"{mention}{HOSTILE}", "machines get what it is"
    (like_slack, escaped), (to, plain), (slack, native), _ = told
    for text in (escaped, plain, native):
        assert not holds_unsafe(re.sub("([@!<])\u200b", r"\1", text), "\n"), "but behind what would begin a mention"
        assert text.count("\n") == 1
    assert not set("<>") & set(escaped)
    assert not re.search(r"@(everyone|U1)|<(!channel|http)", plain)
    assert like_slack.startswith("json://slack/hook?:message=text&")
    assert (to, slack) == ("discord://a/b", places[1])


def test_slack_itself_gets_text_that_calls_nobody(monkeypatch: pytest.MonkeyPatch):
    """By apprise, as far as the request: nothing leaves the machine."""
    import requests

    sent: list[bytes] = []

    def answer(session: requests.Session, method: str, url: str, **options: Any) -> requests.Response:
        assert url == "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
        sent.append(options["data"])
        found = requests.Response()
        found.status_code, found.raw = 200, io.BytesIO(b"ok")
        return found

    monkeypatch.setattr(requests.Session, "request", answer)
    of = Settings(notice_slack_url="https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ")
    assert send.send([Notice("dead", "<!channel> *b* & <http://evil|x>")], "p/n", of)
    (message,) = sent
    assert not set("<>") & set(json.dumps(json.loads(message)))


def test_what_is_a_point_of_notices_is_tried_above():
    places = [name for name in Settings.model_fields if re.fullmatch(r"notice_(.*_url|to)", name)]
    assert places == ["notice_webhook_url", "notice_slack_url", "notice_to"], (
        "a new place: escape for it, and try it above"
    )
    assert "json_text" in inspect.getsource(send.send)
