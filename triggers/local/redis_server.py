"""The private Redis of local mode: its files, its start and its end."""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import redis

from triggers.base.errors import StoreUnavailable, Usage
from triggers.local import private_files
from triggers.local.folder_lock import FolderLock, running_url
from triggers.local.processes import end, end_stranger, ending_with_us, is_server_in, spawn
from triggers.local.server_binary import ServerBinary, find_server
from triggers.local.state_files import damage

__all__ = ["PrivateRedis", "ServerBinary", "find_server", "running_url"]

#: longest path of a Unix socket that every platform takes (macOS 104 bytes, Linux 108, one of them a zero)
_SOCKET_PATH_BYTES = 100
#: seconds to answer when there is nothing to load
_START_SECONDS = 15.0
#: seconds for loading a large append-only file
_LOAD_SECONDS = 300.0
#: seconds for writing the last second to disk and ending
_STOP_SECONDS = 2.0


class PrivateRedis:
    """A Redis on a Unix socket with its append-only file in a folder; it ends with its parent.

    One at a time per folder. After a crash of any kind `start` finds what was written up to the last second.
    Where there is no PR_SET_PDEATHSIG (macOS) it outlives a killed parent.
    """

    def __init__(self, folder: Path, *, server: str | None = None) -> None:
        self.folder = private_files.state_folder(Path(folder))
        self._server = server
        self._lock = FolderLock(self.folder)
        self._socket = _socket_path(self.folder)
        self._process: subprocess.Popen[bytes] | None = None
        self._behind_wrapper: int | None = None

    def start(self, *, cancelled: Callable[[], bool] = lambda: False) -> str:
        """Start it, or start it again after it died; return its URL (`unix://...`) when it answers.

        Raises:
            Usage: The folder is in use, or there is no server to start.
            StoreUnavailable: It did not start; the message has the end of its log.
        """
        if self.is_alive:
            return self.url
        binary = self._find()
        is_restart = self._lock.descriptor is not None
        if is_restart:
            self._end_server()  # what a wrapper script has left
        else:
            self._take_folder()
        try:
            self._refuse_damage()
            self._launch(binary)
            self._wait_for_answer(cancelled)
            binary.writer.record(self.folder)
        except BaseException as failure:
            # the folder stays ours until `stop`: between two attempts nobody else may take what we serve
            self._end_server() if is_restart else self.stop()
            if isinstance(failure, OSError):  # a full disk
                raise private_files.cannot_write(self.folder, failure) from failure
            raise
        return self.url

    def _find(self) -> ServerBinary:
        """The server to start, once the folder is known to be this user's alone."""
        private_files.check(self.folder)
        try:
            return find_server(self._server, self.folder)
        except OSError as error:
            raise private_files.cannot_read(self.folder, error) from error

    def _refuse_damage(self) -> None:
        try:
            problem = damage(self.folder)
        except OSError as error:
            raise private_files.cannot_read(self.folder, error) from error
        if problem:
            raise Usage(problem)

    @property
    def url(self) -> str:
        """Its address, as redis-py reads it."""
        return f"unix://{quote(str(self._socket))}"

    @property
    def pid(self) -> int | None:
        """Process id of the running server."""
        return self._process.pid if self._process is not None and self.is_alive else None

    @property
    def is_alive(self) -> bool:
        """Whether the server process runs."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """End it and give the folder back; the append-only file stays. May be called twice."""
        self._end_server()
        if self._lock.descriptor is None:
            return
        with contextlib.suppress(OSError):  # it is not there, or is something else
            self._socket.unlink()
        if self._socket.parent != self.folder:
            with contextlib.suppress(OSError):
                self._socket.parent.rmdir()
        self._lock.release()

    def _end_server(self) -> None:
        if self._process is not None:
            end(self._process, _STOP_SECONDS)
            self._process = None
        if self._behind_wrapper is not None:
            if is_server_in(self._behind_wrapper, self.folder):
                end_stranger(self._behind_wrapper, _STOP_SECONDS)
            self._behind_wrapper = None

    def _take_folder(self) -> None:
        try:
            private_files.make(self.folder)
            self._lock.acquire()
        except OSError as error:
            raise private_files.cannot_write(self.folder, error) from error
        try:
            _make_private(self._socket.parent, self.folder)
        except BaseException as failure:
            self._lock.release()
            if isinstance(failure, OSError):
                raise private_files.cannot_write(self._socket.parent, failure) from failure
            raise

    def _launch(self, binary: ServerBinary) -> None:
        assert self._lock.descriptor is not None
        configuration = self.folder / "redis.conf"
        private_files.write(configuration, _configuration(self.folder, self._socket))
        self._process = spawn(
            ending_with_us([str(binary.path), str(configuration)]),
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(self._lock.descriptor,),  # the folder is free only when the server is gone too
        )
        self._lock.announce(self._process.pid, self.url)

    def _wait_for_answer(self, cancelled: Callable[[], bool]) -> None:
        assert self._process is not None
        began, answer = time.monotonic(), "no answer"
        while not cancelled():
            if (code := self._process.poll()) is not None:
                raise StoreUnavailable(
                    f"Redis ended with {code} at its start: {self._log_end()}; the files in {self.folder} were kept"
                )
            patience = _START_SECONDS
            try:
                with redis.Redis.from_url(self.url, socket_timeout=2, retry=None) as client:
                    self._note_server(int(client.info("server")["process_id"]))
                    return
            except redis.exceptions.BusyLoadingError as error:
                patience, answer = _LOAD_SECONDS, str(error)
            except redis.exceptions.RedisError as error:
                answer = str(error)
            if time.monotonic() - began > patience:
                raise StoreUnavailable(f"no Redis within {patience:.0f} s ({answer}): {self._log_end()}")
            time.sleep(0.01)
        raise StoreUnavailable("the start of Redis was canceled")

    def _note_server(self, pid: int) -> None:
        """Learn which process the server is: a wrapper script may have started another, which has to end as well."""
        if self._process is not None and pid != self._process.pid:
            self._behind_wrapper = pid
            self._lock.announce(pid, self.url)

    def _log_end(self) -> str:
        try:
            lines = (self.folder / "redis.log").read_text(errors="replace").splitlines()[-5:]
        except OSError as error:
            return f"no log ({error})"
        return " | ".join(line.strip() for line in lines) or "its log is empty"


def _configuration(folder: Path, socket: Path) -> str:
    settings = {
        "port": "0",
        "unixsocket": _quoted(socket),
        "unixsocketperm": "700",
        "dir": _quoted(folder),
        "logfile": _quoted(folder / "redis.log"),
        "pidfile": '""',
        "daemonize": "no",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": '""',
        "maxmemory-policy": "noeviction",
        "databases": "16",
    }
    return "".join(f"{name} {value}\n" for name, value in settings.items())


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _socket_path(folder: Path) -> Path:
    """Where the socket is: in the folder, or in a short private one when that path is too long."""
    direct = folder / "redis.sock"
    if len(os.fsencode(direct)) <= _SOCKET_PATH_BYTES:
        return direct
    name = f"clearml-triggers-{os.getuid()}-{hashlib.sha1(os.fsencode(folder)).hexdigest()[:12]}"
    try:
        base = Path(tempfile.gettempdir())
    except FileNotFoundError:  # no folder for temporary files can be written
        base = Path("/tmp")
    if len(os.fsencode(base / name / "redis.sock")) > _SOCKET_PATH_BYTES:
        base = Path("/tmp")
    return base / name / "redis.sock"


def _make_private(place: Path, folder: Path) -> None:
    """Make the socket's own folder, and refuse one that somebody else made before us."""
    if place == folder:
        return
    with contextlib.suppress(FileExistsError):
        place.mkdir(mode=0o700)
    private_files.check_socket(place / "redis.sock", folder)
