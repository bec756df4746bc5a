"""The control address and the keys are for programs of this machine's user, not for web pages nor for others."""

from __future__ import annotations

import os
import socket
import stat

import pytest
import requests

from triggers.sandbox import running_env
from triggers.sandbox.control import control_routes
from triggers.sandbox.keyring import forget, keep, known
from triggers.sandbox.strangers import HEADER, VALUE, is_own_host

OURS = {HEADER: VALUE}


def paths(sandbox):
    """Every path of the control address with its method, from the table of routes."""
    for route in control_routes(sandbox.app):
        for method in route.methods - {"HEAD"}:
            yield method, route.path.replace("{number:int}", "1")


def ask(sandbox, method, path, headers):
    return requests.request(method, f"{sandbox.url}/_sandbox{path}", headers=headers, timeout=60)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {HEADER: "other"},
        {**OURS, "Host": "evil.example"},
        {**OURS, "Host": "evil.example:8008"},
        {**OURS, "Host": "127.0.0.1.evil.example"},
        {**OURS, "Origin": "http://evil.example"},
        {**OURS, "Origin": "null"},
        {**OURS, "Sec-Fetch-Site": "cross-site"},
        {**OURS, "Referer": "http://127.0.0.1/"},
    ],
    ids=str,
)
def test_no_web_page_and_no_other_name_reaches_any_verb(sandbox, headers):
    asked = [each for each in paths(sandbox) if each[1] != "/ready"]
    assert len(asked) > 12
    for method, path in asked:
        answer = ask(sandbox, method, path, headers)
        assert answer.status_code == 403, path
        assert set(answer.json()) == {"error"}
        assert sandbox.secret_key not in answer.text


def test_nothing_of_the_control_address_holds_the_keys(sandbox):
    for method, path in paths(sandbox):
        if method == "GET":
            answer = ask(sandbox, method, path, OURS)
            assert answer.status_code == 200
            assert sandbox.secret_key not in answer.text
            assert sandbox.access_key not in answer.text
    assert ask(sandbox, "GET", "/env", OURS).status_code == 404
    assert running_env(sandbox.url) is None, "not started in a terminal of this user"
    assert list(ask(sandbox, "GET", "/ready", {}).json()["result"]) == ["instance"]


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("127.0.0.1:8008", True), ("127.0.0.1", True), ("localhost:8008", True), ("[::1]:8008", True),
        ("10.0.0.7", True), ("sandbox:8008", True), (socket.gethostname(), True), ("evil.example:8008", False),
        ("localhost.evil.example", False),
        ("", False), ("127.0.0.1.nip.io", False),
    ],
)  # fmt: skip
def test_own_names_are_those_that_no_page_elsewhere_can_have(host, own):
    assert is_own_host(host) is own


def test_keys_lie_in_a_file_of_the_user_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    keep(8008, "one", {"CLEARML_API_SECRET_KEY": "s"})
    place = tmp_path / "clearml-triggers"
    (file,) = place.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert known(8008, "one") == {"CLEARML_API_SECRET_KEY": "s"}
    assert known(8008, "another sandbox on that port") is None
    forget(8008, "another")
    assert file.exists()
    os.chmod(file, 0o644)
    assert known(8008, "one") is None, "others could have written it"
    os.chmod(file, 0o600)
    os.chmod(place, 0o777)
    assert known(8008, "one") is None
    os.chmod(place, 0o700)
    forget(8008, "one")
    assert not file.exists()
    (place / "8008.json").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").write_text('{"instance": "one", "env": {}}')
    assert known(8008, "one") is None, "a link is not followed"
