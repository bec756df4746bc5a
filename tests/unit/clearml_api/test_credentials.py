import subprocess
import sys

import pytest

from triggers.base.errors import Usage
from triggers.clearml_api import Credentials

PAIR = {"CLEARML_API_ACCESS_KEY": "a", "CLEARML_API_SECRET_KEY": "s"}


@pytest.fixture(autouse=True)
def no_configuration(monkeypatch, tmp_path):
    monkeypatch.setenv("CLEARML_CONFIG_FILE", str(tmp_path / "clearml.conf"))
    return tmp_path / "clearml.conf"


def test_resolve_takes_the_environment_without_the_sdk():
    code = (
        "import sys; from triggers.clearml_api import Credentials; c = Credentials.resolve();"
        "assert 'clearml' not in sys.modules; print(c.host, c.access_key, c.secret_key, c.verify)"
    )
    environment = {**PAIR, "CLEARML_API_HOST": "http://h:1/", "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.stdout == "http://h:1 a s True\n", done.stderr


def test_resolve_takes_the_old_names():
    environ = {"TRAINS_API_HOST": "http://h", "TRAINS_API_ACCESS_KEY": "a", "TRAINS_API_SECRET_KEY": "s"}
    assert Credentials.resolve(environ) == Credentials("http://h", "a", "s")


@pytest.mark.parametrize(
    ("text", "verify"), [("False", False), ("0", False), ("yes", True), ("", True), ("/ca.pem", "/ca.pem")]
)
def test_resolve_reads_what_to_verify(text, verify):
    environ = {**PAIR, "CLEARML_API_HOST": "http://h", "CLEARML_API_HOST_VERIFY_CERT": text}
    assert Credentials.resolve(environ).verify == verify


def test_resolve_fills_up_from_clearml_conf(no_configuration):
    no_configuration.write_text(
        'api { api_server: "http://conf:8008/", verify_certificate: false\n'
        '  credentials { access_key: "conf-a", secret_key: "conf-s" } }'
    )
    assert Credentials.resolve({}) == Credentials("http://conf:8008", "conf-a", "conf-s", False)
    mixed = Credentials.resolve({"CLEARML_API_HOST": "http://env"})
    assert mixed == Credentials("http://env", "conf-a", "conf-s", False)


def test_resolve_takes_the_sdks_host_when_only_keys_are_given():
    assert Credentials.resolve(PAIR).host == "https://api.clear.ml"


def test_resolve_says_what_to_set_when_there_is_nothing():
    with pytest.raises(Usage, match=r"no ClearML credentials .* set CLEARML_API_HOST, CLEARML_API_ACCESS_KEY"):
        Credentials.resolve({})


def test_host_must_be_an_address():
    with pytest.raises(Usage, match="'h:8008' is not an http"):
        Credentials("h:8008", "a", "s")


def test_repr_shows_no_key_and_environment_gives_all():
    credentials = Credentials("http://h", "the-key", "the-secret", "/ca.pem")
    assert "the-" not in repr(credentials)
    assert Credentials.resolve(credentials.environment()) == credentials
