"""The state folder among other users of the machine: where it is, and that nobody else can have put anything into it.

Whoever can write to the folder, or to one above it, can put another lock, socket or configuration in place of ours. So
owner and mode of all of them are looked at before anything is read, and no link is followed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import pwd
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from triggers.base.errors import Usage

_WAY_OUT = "set TRIGGERS_STATE_FOLDER to a folder of this user"
_FULL = (errno.ENOSPC, errno.EDQUOT)
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def state_folder(setting: Path) -> Path:
    """The state folder that a setting means.

    Raises:
        Usage: there is no home folder to put it in.
    """
    try:
        folder = setting.expanduser()
    except RuntimeError as error:
        raise Usage(f"there is no home folder for the state in {setting}: {_WAY_OUT}") from error
    if setting.parts[:1] == ("~",) and Path("~").expanduser() == Path(folder.anchor):
        raise Usage(f"the home folder of this user is {folder.anchor}, which cannot hold the state: {_WAY_OUT}")
    try:
        str(folder.absolute()).encode()
    except UnicodeEncodeError as error:  # the address of its socket is a URL
        raise Usage(f"the state folder {str(folder)!a} is not UTF-8 text: {_WAY_OUT}, or LANG to C.UTF-8") from error
    return folder.absolute()


def folders_in(state: Path) -> list[Path]:
    """The folders of schedulers in a state folder.

    Raises:
        Usage: it cannot be read, or others can have put something into it.
    """
    check_above(state / "any")
    for path, found in _with_status((state,)):
        _refuse_link(path, found)
        if not os.access(state, os.R_OK | os.X_OK):
            raise Usage(f"the state folder {state} of {_name(found)} cannot be read: {_WAY_OUT}")
    return sorted(path.parent for path in state.glob("*/redis.conf"))


def make(folder: Path) -> None:
    """Make a folder of this user alone, and what is missing above it.

    Raises:
        Usage: that cannot be done, or what is there belongs to others.
    """
    try:
        check(folder)
        for missing in reversed([each for each in (folder, *folder.parents) if not os.path.lexists(each)]):
            with contextlib.suppress(FileExistsError):
                missing.mkdir(mode=0o700)
        check(folder)
        folder.chmod(0o700)
    except OSError as error:
        raise cannot_write(folder, error) from error


def cannot_write(folder: Path, error: OSError) -> Usage:
    """What to tell of a folder that takes no file."""
    way_out = "free space there, or set TRIGGERS_STATE_FOLDER" if error.errno in _FULL else "set TRIGGERS_STATE_FOLDER"
    return Usage(f"the state folder {folder} cannot be written ({error.strerror}): {way_out} to a folder of this user")


def cannot_read(folder: Path, error: OSError) -> Usage:
    """What to tell of a folder, or a file in it, that does not open."""
    return Usage(f"the state folder cannot be read ({error.filename or folder}: {error.strerror}): {_WAY_OUT}")


def check(folder: Path) -> None:
    """Look at a folder, those above it and what is in it; one that is not there is fine.

    Raises:
        Usage: something there is not this user's alone; the message has its path, its owner, and what to do.
    """
    for path, found in _with_status((folder.parent,)):  # the state folder itself
        _refuse_link(path, found)
    check_above(folder)
    for path, found in _with_status((folder,)):
        _refuse_strange(path, found)
        _refuse_open(path, found)
    for place, folders, files in os.walk(folder):
        for path, found in _with_status(Path(place, name) for name in (*folders, *files)):
            _refuse_strange(path, found)


def check_above(folder: Path) -> None:
    """Look at all folders above one: others must not be able to put another in its place.

    Raises:
        Usage: they are.
    """
    real = Path(os.path.realpath(folder.parent))
    for path, found in _with_status((*folder.parents, real, *real.parents)):
        if found.st_uid not in (0, os.getuid()):
            raise Usage(f"{path}, which holds the state, belongs to {_name(found)}: {_WAY_OUT}")
        if not stat.S_ISLNK(found.st_mode) and not found.st_mode & stat.S_ISVTX:
            _refuse_open(path, found)


def check_socket(path: Path, folder: Path) -> None:
    """Look at a socket outside the folder too, and at the place that it is in.

    Raises:
        Usage: somebody else can have made it.
    """
    place = path.parent
    if place != folder:
        check_above(place)
        for each, found in _with_status((place,)):
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
                owner = f"mode {stat.S_IMODE(found.st_mode):04o}, owner: {_name(found)}"
                raise Usage(f"{each} is not a private folder of this user ({owner}): remove it, or {_WAY_OUT}")
    for each, found in _with_status((path,)):
        _refuse_strange(each, found)
        if not stat.S_ISSOCK(found.st_mode):
            raise Usage(f"{each} is not a socket (owner: {_name(found)}): remove it, or {_WAY_OUT}")


def open_own(path: Path, flags: int) -> int:
    """A descriptor of a regular file of this user, which no other may write to; made with mode 0600.

    Raises:
        Usage: it is something else.
        OSError: it cannot be opened.
    """
    for each, found in _with_status((path,)):
        _refuse_strange(each, found)
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    try:
        found = os.fstat(descriptor)
        _refuse_strange(path, found)
        _refuse_no_file(path, found)
        if found.st_mode & 0o077:
            os.fchmod(descriptor, 0o600)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def write(path: Path, text: str) -> None:
    """Put a file in place by renaming: nobody sees half of it, and no link is written through."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(descriptor, "w") as file:
        file.write(text)
    fresh.replace(path)


def _with_status(paths: Iterable[Path]) -> Iterator[tuple[Path, os.stat_result]]:
    for path in paths:
        try:
            found = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise cannot_read(path, error) from error
        yield path, found


def _refuse_strange(path: Path, found: os.stat_result) -> None:
    _refuse_link(path, found)
    if found.st_uid != os.getuid():
        raise Usage(f"{path} belongs to {_name(found)}: remove it, or {_WAY_OUT}")


def _refuse_no_file(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise Usage(f"{path} is not a file (owner: {_name(found)}): remove it, or {_WAY_OUT}")


def _refuse_link(path: Path, found: os.stat_result) -> None:
    if stat.S_ISLNK(found.st_mode):
        way_out = "remove it, or set TRIGGERS_STATE_FOLDER to a folder without links"
        raise Usage(f"{path} is a symbolic link (owner: {_name(found)}): {way_out}")


def _refuse_open(path: Path, found: os.stat_result) -> None:
    if found.st_mode & _OTHERS_WRITE:
        mode = f"mode {stat.S_IMODE(found.st_mode):04o}, owner: {_name(found)}"
        raise Usage(f"others may write to {path} ({mode}): take that away with chmod go-w, or {_WAY_OUT}")


def _name(found: os.stat_result) -> str:
    try:
        return pwd.getpwuid(found.st_uid).pw_name
    except KeyError:
        return f"user {found.st_uid}"
