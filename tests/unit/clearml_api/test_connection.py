import json
import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate

import pytest

from tests.eventually import eventually
from triggers.base.errors import Refused, ServerUnavailable
from triggers.clearml_api import Api, Credentials, transport
from triggers.clearml_api.login import Login, life_seconds


def test_call_gives_data_and_sends_a_bearer_token_and_no_secret(faulty, api, answers):
    faulty.script["tasks.edit"] = [(200, answers.ok(a=1), {})]
    assert api.call("tasks.edit", {"task": "x"}).data == {"a": 1}
    path, headers, body = faulty.calls[0]
    assert path == "/v2.23/tasks.edit"
    assert headers["Authorization"] == f"Bearer {answers.jwt(number=1)}"
    assert headers["Cookie"] is None
    assert json.loads(body) == {"task": "x"}


def test_call_carries_nan_both_ways(faulty, api):
    faulty.script["tasks.edit"] = [
        (200, '{"meta": {"result_code": 200}, "data": {"a": NaN, "b": [Infinity, -Infinity]}}', {})
    ]
    data = api.call("tasks.edit", {"value": math.nan, "other": math.inf}).data
    assert math.isnan(data["a"])
    assert data["b"] == [math.inf, -math.inf]
    assert faulty.calls[0][2] == b'{"value": NaN, "other": Infinity}'


@pytest.mark.parametrize(("status", "subcode"), [(400, 110), (403, 1), (404, 0), (301, 1)])
def test_call_raises_refused_when_the_server_says_no(faulty, api, answers, status, subcode):
    faulty.script["tasks.edit"] = [(status, answers.refusal(status, subcode, "Invalid task id"), {})]
    with pytest.raises(Refused, match=r"tasks\.edit refused with .*Invalid task id") as caught:
        api.call("tasks.edit", {})
    assert (caught.value.code, caught.value.subcode) == (status, subcode)
    assert len(faulty.calls) == 1


UNUSABLE = [
    (502, "<html>bad gateway</html>", {}),
    (500, {"meta": {"result_code": 500, "result_subcode": 100, "result_msg": "server error"}, "data": {}}, {}),
    (503, "", {}),
    (429, {"meta": {"result_code": 429, "result_subcode": 0, "result_msg": "slow down"}, "data": {}}, {}),
    (404, "<html>nginx</html>", {}),
    (302, "", {"Location": "https://login.example/"}),
    (200, "<html>log in</html>", {}),
    (200, "[]", {}),
    (200, "null", {}),
    (200, {"data": {}}, {}),
    (200, {"meta": {}, "data": {}}, {}),
    (200, {"meta": [], "data": {}}, {}),
    (200, {"meta": {"result_code": "200"}, "data": {}}, {}),
    (200, {"meta": {"result_code": 200}, "data": []}, {}),
    (200, {"meta": {"result_code": 200}}, {}),
    (200, {"meta": {"result_code": 400}, "data": {}}, {}),
    (200, {"meta": {"result_code": 200}, "data": {}}, {"Date": None}),
    (200, {"meta": {"result_code": 200}, "data": {}}, {"Date": "noon"}),
    "cut",
]


@pytest.mark.parametrize("step", UNUSABLE, ids=str)
def test_call_raises_unavailable_and_does_not_repeat_what_may_have_had_an_effect(faulty, api, step):
    for endpoint in ("tasks.clone", "queues.get_next_task"):
        faulty.script[endpoint] = [step]
        faulty.calls.clear()
        api = Api(api.credentials, timeout_seconds=60)  # one that has not been asked for a pause
        with pytest.raises(ServerUnavailable, match=rf"{endpoint} at 127\.0\.0\.1:\d+: "):
            api.call(endpoint, {})
        assert len(faulty.calls) == 1


@pytest.mark.parametrize("endpoint", ["tasks.clone", "queues.get_next_task"])
def test_call_that_is_not_answered_in_time_raises_unavailable_and_is_not_repeated(
    faulty, impatient, api, answers, endpoint
):
    faulty.script |= {endpoint: ["hang"], "tasks.edit": [(200, answers.ok(), {})]}
    with pytest.raises(ServerUnavailable, match=rf"{endpoint} at 127\.0\.0\.1:\d+: .*no answer in 0\.5 s"):
        impatient.call(endpoint, {})
    eventually(lambda: faulty.calls, "the server reads it, however late")
    api.call("tasks.edit", {})
    assert [path.rpartition("/")[2] for path, *_ in faulty.calls] == [endpoint, "tasks.edit"]


def test_messages_name_where_a_redirect_leads_and_what_came(faulty, api):
    faulty.script["tasks.clone"] = [(302, "<b>moved</b>", {"Location": "https://login.example/"})]
    with pytest.raises(ServerUnavailable, match=r"HTTP 302 \(redirect to https://login.example/\) .*<b>moved"):
        api.call("tasks.clone", {})


def test_a_read_is_repeated_once_on_a_broken_connection(faulty, api, answers):
    faulty.script["tasks.get_all"] = ["cut", (200, answers.ok(tasks=[]), {})]
    assert api.call("tasks.get_all", {}).data == {"tasks": []}
    faulty.script["tasks.get_all_ex"] = ["cut"]
    with pytest.raises(ServerUnavailable):
        api.call("tasks.get_all_ex", {})
    assert len(faulty.calls) == 4


def test_no_server_is_unavailable():
    api = Api(Credentials("http://user:password@127.0.0.1:9", "k", "s"), timeout_seconds=1)
    with pytest.raises(ServerUnavailable, match=r"auth.login at 127\.0\.0\.1:9: .*[Rr]efused") as caught:
        api.call("tasks.clone", {})
    assert "password" not in str(caught.value)


def test_a_connection_that_was_idle_is_not_used_again(faulty, api, answers, monkeypatch):
    faulty.script["tasks.edit"] = [(200, answers.ok(), {})]
    api.call("tasks.edit", {})
    api.call("tasks.edit", {})
    assert faulty.connections == 1
    monkeypatch.setattr(transport, "_IDLE_SECONDS", 0)
    api.call("tasks.edit", {})
    assert faulty.connections == 2


def test_a_connection_closed_by_the_server_is_noticed_before_use(faulty, api, answers):
    faulty.script["tasks.edit"] = ["close after", (200, answers.ok(), {})]
    api.call("tasks.edit", {})
    assert faulty.server.closed.acquire(timeout=60)
    api.call("tasks.edit", {})
    assert faulty.connections == 2


def test_threads_have_connections_of_their_own_and_share_one_login(faulty, answers):
    """Also where the server takes its time to accept connections."""
    faulty.script["tasks.edit"] = [(200, answers.ok(), {})]
    api = Api(Credentials(faulty.host, "the-key", "the-secret"), timeout_seconds=60)  # no matter of time
    accept, ready = faulty.server.get_request, threading.Barrier(8)

    def accept_slowly():
        time.sleep(0.05)
        return accept()

    faulty.server.get_request = accept_slowly

    def work(_):
        ready.wait()
        for _ in range(5):
            api.call("tasks.edit", {})

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))  # raises what one of them raises
    api.close()
    assert (len(faulty.calls), faulty.logins) == (40, 1)
    assert faulty.connections == 8


def test_a_refused_token_is_renewed_once_per_call(faulty, api, answers):
    no = (401, answers.refusal(401, 30, "Invalid token"), {})
    faulty.script["tasks.clone"] = [(200, answers.ok(), {}), no, (200, answers.ok(id="new"), {}), no]
    api.call("tasks.clone", {})
    assert api.call("tasks.clone", {}).data == {"id": "new"}
    assert faulty.logins == 2
    with pytest.raises(Refused, match="401/30"):
        api.call("tasks.clone", {})
    assert (faulty.logins, len(faulty.calls)) == (3, 5)


def test_a_refused_login_says_so_without_the_secret(faulty, api, answers):
    faulty.script["auth.login"] = [(401, answers.refusal(401, 22, "Unauthorized (invalid credentials)"), {})]
    with pytest.raises(Refused, match=r"auth\.login refused with 401/22") as caught:
        api.call("tasks.clone", {})
    assert "the-secret" not in str(caught.value) + repr(api.credentials)


def test_a_login_of_a_wrong_shape_shows_no_token(faulty, api):
    faulty.script["auth.login"] = [(200, '{"token": "sensitive"}', {})]
    with pytest.raises(ServerUnavailable) as caught:
        api.call("tasks.clone", {})
    assert "sensitive" not in str(caught.value)


def test_server_ms_is_before_the_call_arrived(faulty, api, answers):
    date = 1_700_000_000

    def slow(request):
        time.sleep(0.2)
        return (200, answers.ok(), {"Date": formatdate(date, usegmt=True)})

    faulty.script["tasks.edit"] = [slow]
    began = time.monotonic()
    found = api.call("tasks.edit", {}).server_ms
    took_ms = (time.monotonic() - began) * 1000
    # a second for `Date`, which has whole ones, and as long as the call took
    assert date * 1000 - 1000 - took_ms - 1 <= found <= date * 1000 - 1200


def test_login_renews_by_the_tokens_own_life(answers):
    now, bought = [1000.0], []

    def buy():
        bought.append(now[0])
        return answers.jwt(5_000_000, 5_000_600, len(bought))

    login = Login(buy, clock=lambda: now[0])
    first = login.token()
    now[0] += 539
    assert login.token() == first
    now[0] += 2
    assert login.token() != first
    assert bought == [1000.0, 1541.0]


def test_login_replace_buys_one_token_for_all_who_were_refused(answers):
    numbers = iter(range(10))
    login = Login(lambda: answers.jwt(number=next(numbers)))
    first = login.token()
    second = login.replace(first)
    assert login.replace(first) == second == login.token()


@pytest.mark.parametrize("token", ["", "opaque", "a.b.c", "e30.bnVsbA.x", "e30.eyJleHAiOiAieCJ9.x"])
def test_life_seconds_of_a_token_that_says_nothing(token):
    assert life_seconds(token) == 3600
