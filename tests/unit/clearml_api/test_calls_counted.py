"""Every HTTP request is counted where it is sent, and an answer that refuses too many calls pauses all of them."""

import pytest

from triggers.base.errors import Refused, ServerBusy, ServerUnavailable
from triggers.clearml_api.calls import TALLY, Counted, caused_by
from triggers.clearml_api.pauses import FIRST_OF_QUOTA_SECONDS, Pause, is_of_quota, pause_after

QUOTA = {
    "meta": {"result_code": 400, "result_subcode": 68, "result_msg": "The usage quota was exceeded: type=api_calls"}
}
STORAGE = {
    "meta": {
        "result_code": 400,
        "result_subcode": 68,
        "result_msg": "The usage quota was exceeded: type=metrics_storage",
    }
}


@pytest.fixture(autouse=True)
def _empty_tally():
    TALLY.take()
    yield
    TALLY.take()


def test_log_ins_and_second_tries_count_as_the_server_counts_them(faulty, api, answers):
    faulty.script["tasks.get_all"] = ["cut", (200, answers.ok(), {})]
    with caused_by("poll"):
        api.call("tasks.get_all", {})
    faulty.script["tasks.edit"] = [(200, answers.ok(), {})]
    api.call("tasks.edit", {})
    counted = TALLY.take()
    assert counted == {
        Counted("poll", "auth.login", "ok"): 1,
        Counted("poll", "tasks.get_all", "unavailable"): 1,
        Counted("poll", "tasks.get_all", "ok"): 1,
        Counted("script", "tasks.edit", "ok"): 1,
    }
    assert sum(counted.values()) == len(faulty.calls) + faulty.logins
    assert TALLY.take() == {}


def test_what_could_not_be_stored_is_counted_later():
    TALLY.add("tasks.edit", 200, "verb")
    TALLY.put_back(TALLY.take())
    assert TALLY.take() == {Counted("verb", "tasks.edit", "ok"): 1}


def test_too_many_requests_pause_all_calls_longer_each_time(faulty, api, monkeypatch):
    faulty.script["tasks.edit"] = [(429, "", {})]
    clock = [1000.0]
    monkeypatch.setattr("triggers.clearml_api.gate.time.monotonic", lambda: clock[0])
    pauses = []
    for _ in range(7):
        with pytest.raises(ServerBusy) as caught:
            api.call("tasks.edit", {})
        pauses.append(caught.value.seconds)
        with pytest.raises(ServerBusy, match="not asked"):
            api.call("tasks.get_all", {})
        clock[0] += caught.value.seconds
    assert pauses == [2, 4, 8, 16, 32, 60, 60]
    assert len(faulty.calls) == 7
    assert api.new_pause == Pause(60, 7, "HTTP 429", "tasks.edit")


def test_a_quota_of_calls_pauses_and_one_of_storage_refuses_that_call_alone(faulty, api, answers, monkeypatch):
    monkeypatch.setattr("triggers.clearml_api.gate.time.monotonic", lambda: 1000.0)
    faulty.script["events.add_batch"] = [(400, STORAGE, {})]
    with pytest.raises(Refused):
        api.call("events.add_batch", {})
    assert api.pause_seconds == 0
    faulty.script["tasks.clone"] = [(400, QUOTA, {}), (200, answers.ok(), {})]
    with pytest.raises(ServerBusy, match="type=api_calls"):
        api.call("tasks.clone", {})
    assert api.pause_seconds == FIRST_OF_QUOTA_SECONDS


def test_a_good_answer_ends_the_row(faulty, api, answers, monkeypatch):
    faulty.script["tasks.edit"] = [(429, "", {}), (200, answers.ok(), {}), (429, "", {})]
    clock = [1000.0]
    monkeypatch.setattr("triggers.clearml_api.gate.time.monotonic", lambda: clock[0])
    for seconds in (2, None, 2):
        if seconds is None:
            api.call("tasks.edit", {})
            continue
        with pytest.raises(ServerBusy) as caught:
            api.call("tasks.edit", {})
        assert caught.value.seconds == seconds
        clock[0] += seconds


def test_a_pause_that_another_process_was_asked_for_is_kept(faulty, api):
    api.pause(Pause(3600.0, 3, "429/0: too many"))
    api.pause(Pause(600.0, 1, "shorter"))
    assert 3000 < api.pause_seconds <= 3600
    with pytest.raises(ServerUnavailable, match="429/0: too many"):
        api.call("tasks.get_all", {})
    assert faulty.calls == []


@pytest.mark.parametrize(
    ("status", "subcode", "message", "expected"),
    [
        (400, 68, "The usage quota was exceeded: type=api_calls", True),
        (400, 68, "The usage quota was exceeded: type=metrics_storage", False),
        (400, 68, "The usage quota was exceeded: type=artifacts_storage", False),
        (400, 110, "Invalid task status", False),
        (402, 0, "", True),
        (403, 0, "API calls quota exceeded for this workspace", True),
        (403, 24, "Permission denied", False),
        (401, 68, "quota exceeded", False),
        (500, 68, "quota exceeded", False),
        (400, 68, "The usage quota was exceeded: type=api_calls, project=metrics storage", True),
        (403, 0, "Monthly usage limit exceeded", True),
        (403, 0, "API calls limit reached", True),
        (400, 0, "Rate limit: 100 a minute", True),
        (400, 0, "Invalid project name: name=quota exceeded", False),
        (400, 12, "Validation error (too many requests)", False),
        (400, 99, "Quota exceeded", True),
    ],
)
def test_which_refusals_are_of_a_quota_of_calls(status, subcode, message, expected):
    assert is_of_quota(status, subcode, message) is expected


def test_retry_after_goes_before_our_own_pause():
    assert pause_after(429, None, 120.0, 0) == Pause(120.0, 1, "HTTP 429")
    assert pause_after(429, None, 120.0, 1) == Pause(120.0, 2, "HTTP 429")
    assert pause_after(429, None, 1.0, 5) == Pause(60.0, 6, "HTTP 429")  # it went on refusing after such pauses
    assert pause_after(429, None, 0.0, 10_000) == Pause(60.0, 10_001, "HTTP 429")
    assert pause_after(503, None, 20.0, 4) == Pause(20.0, 4, "HTTP 503")
    assert pause_after(503, None, 0.0, 0) is None
    assert pause_after(502, None, 7.0, 0) is None
    assert pause_after(400, {"result_subcode": 110, "result_msg": "Invalid task status"}, 7.0, 0) is None
    found = pause_after(400, QUOTA["meta"], 7.0, 0)
    assert found == Pause(7.0, 1, "400/68: The usage quota was exceeded: type=api_calls")
    assert pause_after(200, {"result_msg": "OK"}, 0.0, 3) is None
    assert pause_after(200, {"result_code": 503, "result_msg": "away"}, 7.0, 0) is None
    assert pause_after(200, QUOTA["meta"], 7.0, 0) == Pause(7.0, 1, f"400/68: {QUOTA['meta']['result_msg']}")
