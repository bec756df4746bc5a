"""Which servers are refused."""

import pytest

from triggers.base.errors import Usage
from triggers.clearml_api.connection import Answer
from triggers.clearml_api.version import require_supported, too_old


@pytest.mark.parametrize("version", ["1.16", "1.16.2", "1.9.0", "0.17.0-1"])
def test_servers_before_1_17_are_too_old(version):
    assert f"version {version}" in too_old(version)


@pytest.mark.parametrize("version", ["1.17", "1.17.0-630", "2.0.0", "2.3.0", "3.25.1", "", "main"])
def test_later_ones_and_those_that_do_not_tell_are_not(version):
    assert too_old(version) == ""


def test_the_refusal_names_server_version_and_fix():
    class Server:
        shown_host = "clearml.example:8008"

        def call(self, endpoint, body):
            assert endpoint == "server.info"
            return Answer({"version": "1.15.1"}, 0)

    with pytest.raises(Usage, match=r"clearml\.example:8008: it is version 1\.15\.1, .* version 1\.17 or later"):
        require_supported(Server())
