"""Hosts of a test: network namespaces on one bridge, and processes in them that are started again when they end."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.deploy.compose import ROOT
from tests.eventually import eventually as eventually
from triggers.local.processes import ending_with_us, spawn

#: nobody has this hardware address: what is sent to it is lost in silence
NOBODY = "02:00:00:00:00:fe"
_numbers = itertools.count(2)


def run(*command: str) -> str:
    """Run a command of iproute2; its output."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


class Service:
    """One process, started again when it ends, as `restart: unless-stopped` says; it is killed when this one ends."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], folder: Path, log: Path) -> None:
        self.command, self.environ, self.folder, self.log = list(command), dict(environ), folder, log
        self.starts = 0
        self._wanted = True
        self._lock = threading.Lock()
        self._start()
        self._thread = threading.Thread(target=self._mend, daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        return self.process.pid

    def _start(self) -> None:
        with self.log.open("ab") as log:
            self.process = spawn(
                ending_with_us(self.command, signal.SIGKILL),
                env=self.environ,
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )
        self.starts += 1

    def _mend(self) -> None:
        while self._wanted:
            time.sleep(0.1)
            with self._lock:
                if self._wanted and self.process.poll() is not None:
                    self._start()

    def down(self) -> None:
        """Kill it, and leave it dead."""
        with self._lock:
            self._wanted = False
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self._thread.join()

    def up(self) -> None:
        """Start it again after `down`."""
        self._wanted = True
        self._start()
        self._thread = threading.Thread(target=self._mend, daemon=True)
        self._thread.start()


class Network:
    """A bridge and the hosts on it. Everything it made is gone after `close`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tag = f"ct{os.getpid() % 100_000:x}"
        self.subnet = f"198.18.{os.getpid() % 250 + 1}"  # set apart for tests between hosts (RFC 2544)
        self.hosts: list[Host] = []
        run("ip", "link", "add", self.tag, "type", "bridge")
        try:
            run("ip", "address", "add", f"{self.subnet}.1/24", "dev", self.tag)
            run("ip", "link", "set", self.tag, "up")
        except OSError:
            run("ip", "link", "del", self.tag)
            raise

    def host(self, name: str) -> Host:
        """One more host."""
        self.hosts.append(Host(self, name))
        return self.hosts[-1]

    def close(self) -> None:
        """End every process, delete every namespace."""
        for host in self.hosts:
            host.close()
        run("ip", "link", "del", self.tag)


class Host:
    """A network namespace with an address and a name of its own."""

    def __init__(self, network: Network, name: str) -> None:
        self.network, self.name = network, name
        number = next(_numbers)
        self.address = f"{network.subnet}.{number}"
        self.namespace, self.cable = f"{network.tag}-{name}", f"{network.tag}v{number}"
        self.services: dict[str, Service] = {}
        run("ip", "netns", "add", self.namespace)
        run("ip", "link", "add", self.cable, "type", "veth", "peer", "name", "eth0", "netns", self.namespace)
        run("ip", "link", "set", self.cable, "master", network.tag, "up")
        run("ip", "-n", self.namespace, "address", "add", f"{self.address}/24", "dev", "eth0")
        run("ip", "-n", self.namespace, "link", "set", "eth0", "up")
        run("ip", "-n", self.namespace, "link", "set", "lo", "up")

    def start(self, name: str, command: Sequence[str], environ: Mapping[str, str], folder: Path = ROOT) -> Service:
        """Run a command here, under this host's name."""
        inside = ["sh", "-c", f'hostname {self.name} && exec "$@"', "sh", *command]
        whole = ["ip", "netns", "exec", self.namespace, "unshare", "--uts", *inside]
        log = self.network.folder / f"{self.name}.{name}.log"
        self.services[name] = Service(whole, environ, folder, log)
        return self.services[name]

    def cut_off(self, other: Host) -> None:
        """From now on, what is sent to the other host is lost without an error."""
        run("ip", "-n", self.namespace, "neigh", "replace", other.address, "lladdr", NOBODY, "dev", "eth0")

    def heal(self, other: Host) -> None:
        """It arrives again."""
        run("ip", "-n", self.namespace, "neigh", "del", other.address, "dev", "eth0")

    def pull_cable(self) -> None:
        """Cut it off from everyone."""
        run("ip", "link", "set", self.cable, "down")

    def plug_in(self) -> None:
        """Put the cable back."""
        run("ip", "link", "set", self.cable, "up")

    def power_off(self) -> None:
        """Kill everything on it at once."""
        for service in self.services.values():
            service.down()

    def power_on(self) -> None:
        """Start everything again."""
        for service in self.services.values():
            service.up()

    def close(self) -> None:
        """End its processes, delete its namespace."""
        self.power_off()
        run("ip", "netns", "del", self.namespace)
        with contextlib.suppress(OSError):  # gone with its namespace, a moment later
            run("ip", "link", "del", self.cable)


def namespaces_permitted() -> bool:
    """Whether this user may make hosts of network namespaces."""
    tag = f"ctp{os.getpid() % 100_000:x}"
    try:
        run("ip", "netns", "add", tag)
    except (OSError, FileNotFoundError):
        return False
    try:
        run("ip", "-n", tag, "link", "add", "p0", "type", "veth", "peer", "name", "p1")
        run("ip", "netns", "exec", tag, "unshare", "--uts", "true")
    except OSError:
        return False
    else:
        return True
    finally:
        run("ip", "netns", "del", tag)
