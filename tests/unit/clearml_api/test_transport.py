import gzip
import json
import os
import threading
import time

import certifi
import pytest

from triggers.base.errors import ServerUnavailable
from triggers.clearml_api import Api, Credentials, transport


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize("user", ["", "me:p%40ss@"])
def test_a_proxy_of_the_environment_is_used(faulty, answers, monkeypatch, user):
    monkeypatch.setenv("http_proxy", faulty.host.replace("//", f"//{user}"))
    faulty.script["tasks.edit"] = [(200, answers.ok(), {})]
    api = Api(Credentials("http://clearml.invalid:8008", "k", "s"), timeout_seconds=60)
    api.call("tasks.edit", {})
    api.close()
    path, headers, _ = faulty.calls[0]
    assert path == "http://clearml.invalid:8008/v2.23/tasks.edit"
    assert headers["Proxy-Authorization"] == ("Basic bWU6cEBzcw==" if user else None)


def test_no_proxy_is_obeyed(faulty, api, answers, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    faulty.script["tasks.edit"] = [(200, answers.ok(), {})]
    api.call("tasks.edit", {})


def test_an_answer_may_be_packed(faulty, api, answers):
    def packed(request):
        body = gzip.compress(json.dumps(answers.ok(a="b" * 100)).encode())
        request.send_response_only(200)
        for name, value in (("Date", request.date_time_string()), ("Content-Encoding", "gzip")):
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)
        return

    faulty.script["tasks.edit"] = [packed]
    assert api.call("tasks.edit", {}).data == {"a": "b" * 100}


def test_an_answer_cut_short_is_unavailable(faulty, api):
    def half(request):
        request.send_response_only(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        request.wfile.write(b'{"meta": {"result_code": 200')
        return "cut"

    faulty.script["tasks.clone"] = [half]
    with pytest.raises(ServerUnavailable, match="IncompleteRead"):
        api.call("tasks.clone", {})


def test_a_fork_does_not_use_the_connection_of_its_parent(faulty, api, answers):
    faulty.script["tasks.edit"] = [(200, answers.ok(), {})]
    api.call("tasks.edit", {})
    pid = os.fork()
    if pid == 0:
        try:
            api.call("tasks.edit", {})
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    api.call("tasks.edit", {})
    assert (len(faulty.calls), faulty.connections) == (3, 2)


def test_certificates_are_verified_as_configured(monkeypatch, tmp_path):
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    required = {"cert_reqs": "CERT_REQUIRED"}
    assert transport._tls(False) == {"cert_reqs": "CERT_NONE"}
    assert transport._tls(True) == {**required, "ca_certs": certifi.where()}
    assert transport._tls("/ca.pem") == {**required, "ca_certs": "/ca.pem"}
    assert transport._tls(str(tmp_path)) == {**required, "ca_cert_dir": str(tmp_path)}
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/bundle.pem")
    assert transport._tls(True)["ca_certs"] == "/bundle.pem"
    assert transport._tls("/ca.pem")["ca_certs"] == "/ca.pem"


def after(seconds, answer):
    """A step that takes a while to answer."""

    def wait(request):
        time.sleep(seconds)
        return answer

    return wait


def dripping(part, hung_up, every=0.05):
    """A step whose headers or body come byte by byte until the other side hangs up, which sets `hung_up`."""

    def drip(request):
        request.send_response_only(200)
        if part == "body":
            request.send_header("Content-Length", "100000")
            request.end_headers()
        else:
            request.flush_headers()
        try:
            while True:
                request.wfile.write(b"x")
                time.sleep(every)
        except OSError:
            hung_up.set()
        return "cut"

    return drip


def test_the_limits_are_those_to_connect_and_for_the_whole_exchange():
    connection = transport.Connection("http://127.0.0.1:9", True, 20.0)
    assert (connection._timeout.connect_timeout, connection._timeout.read_timeout) == (5.0, 20.0)
    assert connection._timeout.total is None


@pytest.mark.parametrize("reused", [False, True])
def test_an_answer_may_take_longer_than_opening_a_connection(faulty, answers, monkeypatch, reused):
    monkeypatch.setattr(transport, "CONNECT_SECONDS", 0.2)
    faulty.script["tasks.edit"] = [(200, answers.ok(), {})] * reused + [after(0.6, (200, answers.ok(a=1), {}))]
    api = Api(Credentials(faulty.host, "k", "s"), timeout_seconds=60)
    for _ in range(reused):
        api.call("tasks.edit", {})
    assert api.call("tasks.edit", {}).data == {"a": 1}
    api.close()


@pytest.mark.parametrize("way", ["direct", "proxy"])
@pytest.mark.parametrize("part", ["headers", "body"])
def test_an_answer_that_drips_ends(faulty, impatient, answers, monkeypatch, part, way):
    if way == "proxy":
        monkeypatch.setenv("http_proxy", faulty.host)
        credentials = Credentials("http://clearml.invalid:8008", "", "", token=answers.jwt())
        impatient = Api(credentials, timeout_seconds=0.5)
    hung_up = threading.Event()
    faulty.script["tasks.get_all_ex"] = [dripping(part, hung_up)]
    with pytest.raises(ServerUnavailable, match=r"no answer in 0.5 s"):
        impatient.call("tasks.get_all_ex", {})
    impatient.close()
    assert hung_up.wait(60), "the connection is closed in the middle of the answer"


def test_a_large_body_may_take_longer_than_opening_a_connection(faulty, answers, monkeypatch):
    """The server begins to read it late, and the buffers of the connection do not hold it all."""
    monkeypatch.setattr(transport, "CONNECT_SECONDS", 0.2)
    faulty.reads_after = 0.6
    faulty.script["tasks.edit"] = [(200, answers.ok(a=1), {})]
    api = Api(Credentials(faulty.host, "k", "s"), timeout_seconds=60)
    assert api.call("tasks.edit", {"comment": "x" * 20_000_000}).data == {"a": 1}
    api.close()


@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_that_is_too_large_is_unavailable_and_read_no_further(faulty, api, monkeypatch, packed):
    monkeypatch.setattr(transport, "_LARGEST_BYTES", 100_000)
    sent = []
    body = gzip.compress(b" " * 50_000_000, 1) if packed else b" " * 50_000_000

    def huge(request):
        request.send_response_only(200)
        if packed:
            request.send_header("Content-Encoding", "gzip")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        for start in range(0, len(body), 65_536):
            try:
                request.wfile.write(body[start : start + 65_536])
            except OSError:
                break
            sent.append(start)
        return "cut"

    faulty.script["tasks.edit"] = [huge]
    with pytest.raises(ServerUnavailable, match="larger than 100,000 bytes"):
        api.call("tasks.edit", {})
    assert packed or len(sent) < 700, "the connection was closed"
