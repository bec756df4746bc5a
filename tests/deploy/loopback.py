"""Hosts where namespaces are not permitted: addresses of the loopback range, each with a way to Redis of its own.

Every host reaches Redis through a proxy on its own address, which can fall silent. The ClearML server has to have one
address for all (it is part of a scheduler's identity): cutting one host off from it cuts off all.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.deploy.compose import ROOT
from tests.deploy.hosts import Service

#: where Redis and the sandbox listen, by the commands of the compose file
PORTS = {"redis": 6379, "clearml": 8008}
_numbers = itertools.count(2)
#: gives a process the name of its host, which namespaces would
NAMED = "import os, socket\nsocket.gethostname = lambda: os.environ['HOST_OF_TEST']\n"


class Proxy:
    """Passes bytes on from an address to a port of this machine, until it falls silent."""

    def __init__(self, address: str, port: int) -> None:
        self.port, self.open, self._ended = port, threading.Event(), False
        self.open.set()
        self._listener = socket.create_server((address, 0))
        self.address = f"{address}:{self._listener.getsockname()[1]}"
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.open.wait()
            try:
                far = socket.create_connection(("127.0.0.1", self.port), timeout=60)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            self._sockets += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                self.open.wait()
                sink.sendall(data)
        except OSError:
            pass
        finally:
            source.close()
            sink.close()

    def close(self) -> None:
        """End it, and what goes through it."""
        self.open.set()
        for one in [self._listener, *self._sockets]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


class LoopbackNetwork:
    """The hosts; the interface is that of `hosts.Network`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hosts: list[LoopbackHost] = []
        for port in PORTS.values():
            socket.create_server(("0.0.0.0", port)).close()  # OSError: somebody else has it
        (folder / "sitecustomize.py").write_text(NAMED)
        self.to_clearml = Proxy("127.0.0.1", PORTS["clearml"])

    def host(self, name: str) -> LoopbackHost:
        """One more host."""
        self.hosts.append(LoopbackHost(self, name))
        return self.hosts[-1]

    def close(self) -> None:
        """End every process and proxy."""
        for host in self.hosts:
            host.power_off()
            host.to_redis.close()
        self.to_clearml.close()


class LoopbackHost:
    """Processes that share a name and a way to Redis."""

    def __init__(self, network: LoopbackNetwork, name: str) -> None:
        self.network, self.name = network, name
        self.address = "127.0.0.1"
        self.to_redis = Proxy(f"127.77.{os.getpid() % 250}.{next(_numbers)}", PORTS["redis"])
        self.services: dict[str, Service] = {}

    def start(self, name: str, command: Sequence[str], environ: Mapping[str, str], folder: Path = ROOT) -> Service:
        """Run a command under this host's name."""
        own = {"HOST_OF_TEST": self.name, "PYTHONPATH": str(self.network.folder)}
        given = {
            key: value.replace(f"127.0.0.1:{PORTS['redis']}", self.to_redis.address) for key, value in environ.items()
        }
        log = self.network.folder / f"{self.name}.{name}.log"
        self.services[name] = Service(command, {**given, **own}, folder, log)
        return self.services[name]

    def _way_to(self, other: LoopbackHost) -> Proxy:
        return self.to_redis if other.name == "redis" else self.network.to_clearml

    def cut_off(self, other: LoopbackHost) -> None:
        """From now on, what is sent to the other host is lost without an error."""
        self._way_to(other).open.clear()

    def heal(self, other: LoopbackHost) -> None:
        """It arrives again."""
        self._way_to(other).open.set()

    def pull_cable(self) -> None:
        """Cut it off from Redis."""
        self.to_redis.open.clear()

    def plug_in(self) -> None:
        """Let it reach Redis again."""
        self.to_redis.open.set()

    def power_off(self) -> None:
        """Kill everything on it at once."""
        for service in self.services.values():
            service.down()

    def power_on(self) -> None:
        """Start everything again."""
        for service in self.services.values():
            service.up()
