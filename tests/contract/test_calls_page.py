"""The page of calls says what is there."""

from . import calls_page


def test_page_of_calls_is_up_to_date():
    assert calls_page.PAGE.read_text(encoding="utf-8") == calls_page.page(), "run python -m tests.contract.calls_page"


def test_recorded_calls_are_all_there():
    missing = set(calls_page.recorded()) - set(calls_page.ENDPOINTS) - set(calls_page.MOVED)
    assert missing == {"nope", "nope.nope", "tasks.nope"}
