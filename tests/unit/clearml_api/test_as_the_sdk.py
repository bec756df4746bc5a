"""Credentials, proxies and pauses as the SDK has them: each case is put to its session too."""

import json
import os
import subprocess
import sys
import time
from email.utils import formatdate

import pytest

from triggers.base.errors import ServerUnavailable
from triggers.clearml_api import Api, Credentials, answers
from triggers.clearml_api.transport import Connection, Reply

PAIR = {"CLEARML_API_ACCESS_KEY": "a", "CLEARML_API_SECRET_KEY": "s"}

#: what the real SDK sends and uses; a process of its own, since the SDK reads the environment once
SDK = """
import json, os
from clearml.backend_api import Session
session = Session(http_retries_config={"total": 0})
print("\\nsaw", json.dumps({
    "verify": session._Session__http_session.verify,
    "host": session.host,
    "token": session.token,
    "environment": os.environ.get("CLEARML_AUTH_TOKEN"),
}))
"""
OURS = """
import json, os
from triggers.clearml_api import Api, Credentials
credentials = Credentials.resolve()
api = Api(credentials, timeout_seconds=5)
print("\\nsaw", json.dumps({
    "verify": credentials.verify,
    "host": credentials.host,
    "token": api._login.token(),
    "environment": os.environ.get("CLEARML_AUTH_TOKEN"),
}))
"""


def side_by_side(tmp_path, conf="", **environment):
    """What the SDK saw, and what we saw, of the same environment and clearml.conf."""
    (tmp_path / "clearml.conf").write_text(conf)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CLEARML_", "TRAINS_"))}
    kept["CLEARML_API_DEFAULT_REQ_METHOD"] = "POST"  # the server of these tests answers no GET
    environ = {**kept, "CLEARML_CONFIG_FILE": str(tmp_path / "clearml.conf"), **environment}
    told = []
    for code in (SDK, OURS):
        done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True)
        told.append(next((line[4:] for line in done.stdout.splitlines() if line.startswith("saw ")), done.stderr))
    return [json.loads(one) for one in told]


@pytest.mark.parametrize(
    ("conf", "variable", "verify"),
    [
        ("api { verify_certificate: false }", None, False),
        ("api { verify_certificate: true }", None, True),
        ('api { verify_certificate: "/ca.pem" }', None, "/ca.pem"),
        ("api { verify_certificate: false }", "true", True),
        ("", None, True),
    ],
)
def test_verify_certificate_counts_although_the_environment_has_the_keys(faulty, tmp_path, conf, variable, verify):
    named = {"CLEARML_API_HOST_VERIFY_CERT": variable} if variable else {}
    sdk, ours = side_by_side(tmp_path, conf, CLEARML_API_HOST=faulty.host, **PAIR, **named)
    assert ours["verify"] == verify
    assert sdk["verify"] in (verify, str(variable))  # the SDK keeps a variable as text


def test_a_token_of_the_environment_is_enough_and_wins_over_a_pair(faulty, tmp_path, answers):
    sent = []

    def login(request):
        sent.append(request.headers["Authorization"])
        return 200, answers.ok(token=answers.jwt(0, 3600, 9)), {}

    faulty.script["auth.login"] = [login]
    first = answers.jwt(0, 60, 1)
    sdk, ours = side_by_side(tmp_path, CLEARML_API_HOST=faulty.host, CLEARML_AUTH_TOKEN=first, **PAIR)
    assert ours == sdk
    assert ours["token"] == ours["environment"] == answers.jwt(0, 3600, 9)
    assert sent[0] == sent[-1] == f"Bearer {first}"  # the SDK, which may renew at once; then ours, which asks once


def test_a_token_is_renewed_with_the_last_one(faulty, answers):
    api = Api(Credentials(faulty.host, "", "", token=answers.jwt(number=100)), timeout_seconds=60)
    faulty.script["tasks.edit"] = [(401, answers.refusal(401, 20), {}), (200, answers.ok(), {})]
    sent = []

    def login(request):
        sent.append(request.headers["Authorization"])
        return 200, answers.ok(token=answers.jwt(number=len(sent))), {}

    faulty.script["auth.login"] = [login]
    api.call("tasks.edit", {})
    assert sent == [f"Bearer {answers.jwt(number=100)}", f"Bearer {answers.jwt(number=1)}"]
    api.close()


def test_a_child_process_gets_the_token():
    credentials = Credentials("http://h", "", "", token="hidden")
    assert Credentials.resolve(credentials.environment()) == credentials
    assert "hidden" not in repr(credentials)


@pytest.mark.parametrize(
    ("no_proxy", "host"),
    [
        ("127.0.0.0/8", "http://127.9.0.1:8008"),
        ("10.0.0.0/8,example.com", "http://127.0.0.1:8008"),
        ("127.0.0.1", "http://127.0.0.1:8008"),
        ("example.com", "http://api.example.com"),
        ("example.com:8008", "http://api.example.com:8008"),
        ("example.com:8008", "http://api.example.com:9"),
        ("*", "http://elsewhere"),
        ("", "http://127.0.0.1:8008"),
    ],
)
def test_no_proxy_is_read_as_requests_reads_it(monkeypatch, no_proxy, host):
    import requests

    monkeypatch.setenv("http_proxy", "http://user:secret@127.0.0.1:9")
    monkeypatch.setenv("no_proxy", no_proxy)
    theirs = requests.Session().merge_environment_settings(host, {}, None, None, None)["proxies"].get("http")
    through = Connection(host, True, 1.0).through
    assert through == (" through the proxy http://127.0.0.1:9" if theirs else "")


def test_an_error_through_a_proxy_names_the_proxy_without_its_password(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://user:secret@127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(ServerUnavailable, match=r"through the proxy http://127\.0\.0\.1:9") as caught:
        Api(Credentials("http://elsewhere.invalid", "a", "s"), timeout_seconds=1).call("tasks.edit", {})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_obeyed_before_the_next_call(faulty, api, answers, status, monkeypatch):
    faulty.script["tasks.edit"] = [(status, "", {"Retry-After": "30"}), (200, answers.ok(), {})]
    now = [time.monotonic()]
    monkeypatch.setattr("triggers.clearml_api.gate.time.monotonic", lambda: now[0])
    with pytest.raises(ServerUnavailable, match=str(status)):
        api.call("tasks.edit", {})
    assert api.pause_seconds == pytest.approx(30)
    with pytest.raises(ServerUnavailable, match="calls wait for another 30 s"):
        api.call("tasks.edit", {})
    assert len(faulty.calls) == 1
    now[0] += 30
    api.call("tasks.edit", {})
    assert len(faulty.calls) == 2


NOON = 1_700_000_000


@pytest.mark.parametrize(
    ("status", "value", "seconds"),
    [
        (429, "7", 7),
        (503, formatdate(NOON + 20, usegmt=True), 20),
        (503, formatdate(NOON - 20, usegmt=True), 0),
        (503, formatdate(NOON + 20_000, usegmt=True), 60),
        (429, "9" * 400, 3600),
        (429, "-5", 0),
        (429, " 2.5 ", 2.5),
        (429, "0", 0),
        (429, "1e9", 0),
        (429, "\u0667", 0),
        (429, "Fri, 31 Dec 9999 23:59:59 GMT", 3600),
        (429, "Thu, 01 Jan 1970 00:00:00 GMT", 0),
        (429, "soon", 0),
        (429, "", 0),
    ],
)
def test_pause_of_an_answer(status, value, seconds):
    headers = {"Retry-After": value, "Date": formatdate(NOON, usegmt=True)}
    assert answers.pause_seconds(Reply(status, headers, b"", 0.1)) == seconds


def test_a_disabled_verification_warns_once(caplog, tmp_path, recwarn):
    import ssl
    import threading
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate]
    subprocess.run([*made, "-days", "1", "-subj", "/CN=localhost"], check=True, capture_output=True)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=[0.02])
    thread.start()
    try:
        for _ in range(5):
            connection = Connection(f"https://127.0.0.1:{server.server_port}", False, 5.0)
            assert connection.post("/", b"", {}).status == 200
            connection.close()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert sum("is not verified" in record.getMessage() for record in caplog.records) == 1
    assert not [one for one in recwarn if "Unverified" in str(one.message)]
