"""A state folder has one user at a time: the lock on it, and who holds it.

The lock is a `flock` that the Redis process inherits, so it is free only when the owner and its Redis are
both gone: whoever gets it may write the append-only file.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from triggers.base.errors import Usage
from triggers.local import private_files
from triggers.local.processes import close, end_stranger, is_server_in, keep_from_forks, start_time

#: seconds in which a leftover of a killed owner must release the folder
_PATIENCE_SECONDS = 15.0
#: seconds in which one that only looks at the lock releases it
_LOOK_SECONDS = 1.0
#: size of the record of the holder
_RECORD_BYTES = 2048


@dataclass(frozen=True, slots=True)
class LockHolder:
    """Who holds a folder, as written in its lock file."""

    owner: int
    owner_started: int | None
    host: str
    server: int | None = None
    url: str | None = None

    @property
    def is_elsewhere(self) -> bool:
        """Whether the owner runs, or ran, on another host: also in a container that was made anew since."""
        return self.host != socket.gethostname()

    @property
    def is_alive(self) -> bool:
        """Whether the owner still runs; true for an owner that cannot be seen from here."""
        if self.is_elsewhere:
            return True
        if self.owner_started is not None:
            return start_time(self.owner) == self.owner_started
        try:  # no /proc
            os.kill(self.owner, 0)
        except ProcessLookupError:
            return False
        return True


class FolderLock:
    """The exclusive use of a folder, until `release` or the end of all processes that inherited it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "lock"
        self.descriptor: int | None = None

    def acquire(self) -> None:
        """Take the folder; ends a Redis that a killed owner left behind in it.

        Raises:
            Usage: Another process uses the folder; the message names it and what to do.
        """
        began = time.monotonic()
        while not self._try_lock():
            holder, waited = read_holder(self.folder), time.monotonic() - began
            if holder is not None and holder.is_alive and (not holder.is_elsewhere or waited > _LOOK_SECONDS):
                raise Usage(
                    f"{self.folder} is in use by process {holder.owner} on {holder.host}: "
                    f"end that process first (kill {holder.owner}), or set TRIGGERS_STATE_FOLDER to another folder"
                )
            if waited > _PATIENCE_SECONDS:
                raise Usage(
                    f"{self.path} is still locked by a process that an earlier owner left behind: "
                    f"find it with `fuser {self.path}` and end it"
                )
            if holder is not None and holder.server and is_server_in(holder.server, self.folder):
                end_stranger(holder.server, patience_seconds=5.0)
            else:  # the holder is about to write its name, or what it left behind is about to end
                time.sleep(0.05)
        try:
            self._write(LockHolder(os.getpid(), start_time(os.getpid()), socket.gethostname()))
        except BaseException:  # a full disk: what nobody can see the holder of is not held
            self.release()
            raise

    def announce(self, server: int, url: str) -> None:
        """Write down the Redis of this folder, for those that look and for the next owner after a crash."""
        self._write(LockHolder(os.getpid(), start_time(os.getpid()), socket.gethostname(), server, url))

    def release(self) -> None:
        """Give the folder back and remove the lock file; does nothing when it is not held."""
        if self.descriptor is None:
            return
        self.path.unlink(missing_ok=True)
        close(self.descriptor)
        self.descriptor = None

    def _try_lock(self) -> bool:
        descriptor = private_files.open_own(self.path, os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # the one before us may have removed the file that we opened
            current = os.path.samestat(os.fstat(descriptor), os.stat(self.path))
        except (BlockingIOError, FileNotFoundError):
            current = False
        if not current:
            os.close(descriptor)
            return False
        self.descriptor = keep_from_forks(descriptor)
        return True

    def _write(self, holder: LockHolder) -> None:
        assert self.descriptor is not None
        # in one write and always of one length, so that a reader never sees half of it
        text = json.dumps(asdict(holder)).encode()
        os.pwrite(self.descriptor, text.ljust(_RECORD_BYTES), 0)


def read_holder(folder: Path) -> LockHolder | None:
    """What the lock file of a folder says; None when there is none or it is just being written."""
    try:
        descriptor = private_files.open_own(folder / "lock", os.O_RDONLY)
    except OSError:
        return None
    with open(descriptor) as file:
        try:
            return LockHolder(**json.load(file))
        except (OSError, ValueError, TypeError):
            return None


def running_url(folder: Path) -> str | None:
    """Address of the private Redis that works in `folder` now, None when there is none.

    Raises:
        Usage: somebody else can have written it.
    """
    folder = Path(folder).absolute()
    private_files.check(folder)
    holder = read_holder(folder)
    if holder is None or not holder.is_alive or not holder.url:
        return None
    if holder.is_elsewhere and not _is_locked(folder):  # it was ended: the record alone stayed
        return None
    private_files.check_socket(Path(unquote(urlsplit(holder.url).path)), folder)
    return holder.url


def _is_locked(folder: Path) -> bool:
    """Whether any process on any host holds the lock of a folder."""
    try:
        descriptor = private_files.open_own(folder / "lock", os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
