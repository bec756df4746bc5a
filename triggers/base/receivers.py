"""Which addresses on the network actions may send to. Pure: nothing is looked up here.

Whoever may write a trigger names a receiver, and workers stand inside a network where the ClearML server, Redis and a
cloud's metadata service trust whoever reaches them. So only addresses of the public internet are open; the setting
`webhook_allow` opens others.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_HOST: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?")

#: NAT64: the IPv4 address stands in the last 32 bits, and a gateway leads to it.
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_MAPPED: Final = ipaddress.IPv6Network("::ffff:0:0/96")
#: The old form of an IPv4 address within IPv6 (`::10.0.0.1`).
_COMPATIBLE: Final = ipaddress.IPv6Network("::/96")
#: Not of the public internet either, which not every release of Python knows: IETF protocol assignments, the relays of
#: 6to4, local NAT64.
_CLOSED: Final = tuple(
    # the last, 6to4, is public to Python up to 3.12, and has long been given up
    map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "64:ff9b:1::/48", "2002::/16"))
)


@dataclass(frozen=True, slots=True)
class Allowed:
    """What is open beside the public internet: hosts by name, and addresses by the networks they lie in."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, names: Iterable[str]) -> Allowed:
        """Read hosts, addresses and networks.

        Raises:
            ValueError: names what is none of these, and what to do.
        """
        hosts, networks = set[str](), []
        for name in names:
            try:
                networks.append(_meant(ipaddress.ip_network(name.strip("[]"))))
            except ValueError:
                host = host_name(name)
                if not _HOST.fullmatch(host):
                    raise ValueError(
                        f"{name!r} is not a host, address or network: give names such as hooks.example.com, "
                        "10.1.2.3 or "
                        "10.0.0.0/8, without scheme and port; a name opens this one host and none below it"
                    ) from None
                hosts.add(host)
        return cls(frozenset(hosts), tuple(networks))

    def has_host(self, host: str) -> bool:
        """Whether a host is open by its name, whatever it resolves to."""
        return host_name(host) in self.hosts

    def problem_of(self, host: str, address: str) -> str:
        """Why a connection to an address of a host is refused; "" if it is open."""
        found = parse(address)
        if found is None:
            return f"{host} has the address {address!r}, which is not an IP address"
        if self.has_host(host) or any(each in network for network in self.networks for each in meanings(found)):
            return ""
        if all(map(_is_public, meanings(found))):
            return ""
        shown = host if host_name(host) == str(found) else f"{host} ({found})"
        return (
            f"{shown} is not an address of the public internet, and TRIGGERS_WEBHOOK_ALLOW does not name it; "
            "have the host, the address or its network added there, then retry the dead letter"
        )


def host_name(host: str) -> str:
    """A host as names are compared: `Hooks.Example.com.` is `hooks.example.com`, `bücher.example` is its ASCII form."""
    host = host.strip("[]").rstrip(".").lower()
    try:
        return host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:  # no such name can be looked up
        return host


def _meant(network: Network) -> Network:
    """A network of IPv4 addresses within IPv6 (`::ffff:10.0.0.0/104`) as the network that connections go to."""
    for within in (_MAPPED, _NAT64):
        if isinstance(network, ipaddress.IPv6Network) and network.subnet_of(within):
            bits = int(network.network_address) & 0xFFFF_FFFF
            return ipaddress.IPv4Network((bits, network.prefixlen - within.prefixlen))
    return network


def parse(address: str) -> Address | None:
    """An IP address of a text, without the zone of a link-local one; None if the text is not one."""
    try:
        return ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None


def meanings(address: Address) -> list[Address]:
    """An address and those that it stands for: IPv4 in IPv6, behind a tunnel or a gateway."""
    found: list[Address] = [address]
    if isinstance(address, ipaddress.IPv6Address):
        found += [each for each in (address.ipv4_mapped, address.sixtofour, *(address.teredo or ())) if each]
        if address in _NAT64 or address in _COMPATIBLE:
            found.append(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    if len(found) > 1 and (address in _NAT64 or getattr(address, "ipv4_mapped", None)):
        return found[1:]  # such an address is the IPv4 address and nothing else
    return found


def _is_public(address: Address) -> bool:
    closed = (
        address.is_private,
        address.is_loopback,
        address.is_link_local,
        address.is_multicast,
        address.is_reserved,
        address.is_unspecified,
        getattr(address, "is_site_local", False),
    )
    return address.is_global and not any(closed) and not any(address in network for network in _CLOSED)
