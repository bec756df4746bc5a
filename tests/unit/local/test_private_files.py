"""Where the state is, and that no other user of the machine can have put a lock, socket or configuration there."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from triggers.base.errors import Usage
from triggers.local import private_files
from triggers.local.folder_lock import FolderLock, running_url
from triggers.local.processes import start_time
from triggers.local.redis_server import PrivateRedis

OTHER = 54321
as_root = pytest.mark.skipif(os.getuid() != 0, reason="gives files to another user")


@pytest.fixture
def folder(tmp_path):
    """A folder that an earlier run left behind."""
    place = tmp_path / "state" / "scheduler"
    private_files.make(place)
    for name in ("lock", "redis.conf", "redis.log"):
        (place / name).write_text("{}")
    (place / "appendonlydir").mkdir()
    (place / "appendonlydir" / "1.aof").write_text("")
    return place


def refused(folder: Path, path: Path, *words: str) -> None:
    """Every way in refuses, in one line that names path, owner, and fix, and changes nothing."""
    for way_in in (
        lambda: running_url(folder),
        lambda: PrivateRedis(folder).start(),
        lambda: [running_url(each) for each in private_files.folders_in(folder.parent)],
    ):
        with pytest.raises(Usage) as caught:
            way_in()
        said = str(caught.value)
        assert "\n" not in said
        for word in (str(path), "TRIGGERS_STATE_FOLDER", *words):
            assert word in said


def test_a_folder_of_an_earlier_run_is_fine_and_gets_private(folder):
    folder.chmod(0o755)
    assert running_url(folder) is None
    private_files.make(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert folder.parent.stat().st_mode & 0o777 == 0o700


@as_root
@pytest.mark.parametrize("name", ["", "lock", "redis.conf", "redis.log", "appendonlydir", "appendonlydir/1.aof"])
def test_what_belongs_to_another_user_is_refused(folder, name):
    os.chown(folder / name, OTHER, OTHER)
    refused(folder, folder / name, str(OTHER))


@as_root
def test_a_folder_above_that_belongs_to_another_user_is_refused(folder):
    os.chown(folder.parent, OTHER, OTHER)
    refused(folder, folder.parent, str(OTHER))


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
@pytest.mark.parametrize("above", [0, 1, 2])
def test_a_folder_that_others_may_write_to_is_refused_unless_it_is_sticky(folder, mode, above):
    place = [folder, *folder.parents][above]
    before = place.stat().st_mode
    place.chmod(mode)
    try:
        refused(folder, place, "owner", "chmod go-w")
        if above:
            place.chmod(mode | 0o1000)
            assert running_url(folder) is None
    finally:
        place.chmod(before)


@pytest.mark.parametrize("name", ["lock", "redis.conf", "redis.log", "redis.sock", "appendonlydir"])
def test_a_link_in_place_of_a_file_is_refused_and_what_it_leads_to_is_left_alone(folder, tmp_path, name):
    target = tmp_path / "target"
    target.write_text("mine")
    if (folder / name).exists():
        (folder / name).rename(tmp_path / "away")
    (folder / name).symlink_to(target)
    refused(folder, folder / name, "symbolic link", "owner")
    assert target.read_text() == "mine"


@pytest.mark.parametrize("above", [0, 1])
def test_a_link_in_place_of_the_folder_is_refused(folder, tmp_path, above):
    place = [folder, folder.parent][above]
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    refused(folder, place, "symbolic link")


def test_a_pipe_in_place_of_the_lock_does_not_hang(folder):
    (folder / "lock").unlink()
    os.mkfifo(folder / "lock")
    with pytest.raises(Usage, match="is not a file"):
        running_url(folder)
    with pytest.raises(Usage, match="is not a file"):
        FolderLock(folder).acquire()


@as_root
@pytest.mark.parametrize("what", ["socket", "place", "open place", "file"])
def test_an_address_in_the_lock_is_believed_only_where_nobody_else_can_listen(folder, tmp_path, what):
    place = tmp_path / "p"
    place.mkdir(mode=0o700)
    path = place / "redis.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        if what == "file":
            path.write_text("")
        else:
            listening.bind(str(path))
        holder = {"owner": os.getpid(), "owner_started": start_time(os.getpid()), "host": socket.gethostname()}
        (folder / "lock").write_text(json.dumps({**holder, "url": f"unix://{path}"}))
        if what == "socket":
            assert running_url(folder) == f"unix://{path}"
            os.chown(path, OTHER, OTHER)
        elif what == "place":
            os.chown(place, OTHER, OTHER)
        elif what == "open place":
            place.chmod(0o755)
        with pytest.raises(Usage, match="TRIGGERS_STATE_FOLDER"):
            running_url(folder)


def test_a_file_is_put_in_place_by_renaming_and_is_the_users_alone(tmp_path):
    target = tmp_path / "target"
    target.write_text("mine")
    (tmp_path / "redis.conf").symlink_to(target)
    (tmp_path / "redis.conf.new").symlink_to(target)
    private_files.write(tmp_path / "redis.conf", "port 0")
    assert target.read_text() == "mine"
    assert not (tmp_path / "redis.conf").is_symlink()
    assert (tmp_path / "redis.conf").read_text() == "port 0"
    assert (tmp_path / "redis.conf").stat().st_mode & 0o777 == 0o600


def test_no_home_folder_and_a_home_that_is_the_root_say_what_to_do(monkeypatch):
    with pytest.raises(Usage, match=r"no home folder.*TRIGGERS_STATE_FOLDER"):
        private_files.state_folder(Path("~nobody-of-that-name/state"))
    monkeypatch.setenv("HOME", "/")
    with pytest.raises(Usage, match="TRIGGERS_STATE_FOLDER"):
        private_files.state_folder(Path("~/.clearml-triggers"))
    monkeypatch.setenv("HOME", "/home/me")
    assert private_files.state_folder(Path("~/.clearml-triggers")) == Path("/home/me/.clearml-triggers")


VERBS = [["list"], ["status"], ["history"], ["doctor"], ["up"], ["pause", "--all"]]
#: A user without an entry among the users, as containers have them.
NO_HOME = """
import os, pwd, sys
def unknown(_): raise KeyError
pwd.getpwuid = unknown
os.environ.pop("HOME", None)
from triggers.cli import main
main()
"""


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
@pytest.mark.parametrize("home", ["none", "/", "/proc"])
def test_every_verb_says_what_to_do_without_a_usable_home(verb, home):
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("CLEARML_", "TRIGGERS_", "COV"))} | {"HOME": home}
    program = ["-c", NO_HOME] if home == "none" else ["-m", "triggers"]
    command = [sys.executable, *program, *verb]
    done = subprocess.run(command, env=kept, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    [line] = done.stderr.strip().splitlines()
    assert "TRIGGERS_STATE_FOLDER" in line
