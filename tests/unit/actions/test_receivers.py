"""Which addresses are open."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triggers.base.errors import Usage
from triggers.base.receivers import Allowed
from triggers.base.settings import settings_of

PUBLIC = [
    "8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808",
]  # fmt: skip
CLOSED = [
    "127.0.0.1", "127.8.9.1", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "0.0.0.0", "0.1.2.3", "255.255.255.255", "224.0.0.1", "192.0.0.8", "192.0.2.1", "198.18.0.1",
    "240.0.0.1", "192.88.99.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd12:3456::1", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "2002:7f00:1::",
    "2002:a00:1::1", "2002:808:808::1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1", "100::1", "no address", "",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_public_internet_is_open(address: str) -> None:
    assert Allowed().problem_of("hooks.example.com", address) == ""


@pytest.mark.parametrize("address", CLOSED)
def test_every_other_address_is_refused_and_named(address: str) -> None:
    said = Allowed().problem_of("hooks.example.com", address)
    assert "hooks.example.com" in said
    assert "TRIGGERS_WEBHOOK_ALLOW" in said or "not an IP address" in said


@pytest.mark.parametrize(
    ("allow", "host", "address", "open_"),
    [
        (["127.0.0.1"], "127.0.0.1", "127.0.0.1", True),
        (["127.0.0.1"], "anything", "127.0.0.1", True),
        (["127.0.0.1"], "anything", "::ffff:127.0.0.1", True),
        (["127.0.0.1"], "127.0.0.1", "127.0.0.2", False),
        (["10.0.0.0/8"], "x", "10.200.0.1", True),
        (["10.0.0.0/8"], "x", "11.0.0.1", True),
        (["10.0.0.0/8"], "x", "192.168.0.1", False),
        (["fd00::/8"], "x", "fd12::1", True),
        (["[::1]"], "::1", "::1", True),
        (["::1"], "[::1]", "::1", True),
        (["hooks.internal"], "hooks.internal", "10.0.0.1", True),
        (["hooks.internal"], "HOOKS.internal.", "10.0.0.1", True),
        (["hooks.internal"], "evil.hooks.internal", "10.0.0.1", False),
        (["hooks.internal"], "xhooks.internal", "10.0.0.1", False),
        (["localhost"], "localhost", "127.0.0.1", True),
        (["localhost"], "127.0.0.1", "127.0.0.1", False),
    ],
)
def test_the_setting_opens_what_it_names_and_nothing_else(
    allow: list[str], host: str, address: str, open_: bool
) -> None:
    assert (Allowed.of(allow).problem_of(host, address) == "") is open_


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_as_open_within_ipv6_as_alone(address: ipaddress.IPv4Address) -> None:
    alone = Allowed().problem_of("x", str(address)) == ""
    for within in (f"::ffff:{address}", str(ipaddress.IPv6Address((0x64FF9B << 96) | int(address)))):
        assert (Allowed().problem_of("x", within) == "") is alone


@pytest.mark.parametrize("wrong", ["10.0.0.0/33", "http://hooks.internal", "hooks.internal:8080", "10.0.0.1/8/9"])
def test_a_setting_that_is_no_host_address_or_network_is_refused(wrong: str) -> None:
    with pytest.raises(Usage, match=r"TRIGGERS_WEBHOOK_ALLOW.*without scheme and port"):
        settings_of({"TRIGGERS_WEBHOOK_ALLOW": f"ok.internal, {wrong}"})


def test_the_setting_takes_several_between_commas() -> None:
    assert settings_of({"TRIGGERS_WEBHOOK_ALLOW": "a.internal, 10.0.0.0/8,::1"}).webhook_allow == (
        "a.internal", "10.0.0.0/8", "::1",
    )  # fmt: skip


@pytest.mark.parametrize("pattern", ["*.internal", "hooks.*", "user@hooks.internal", "hooks internal", "-x", "a?b"])
def test_a_pattern_that_would_match_no_host_is_refused(pattern: str) -> None:
    with pytest.raises(Usage, match="none below it"):
        settings_of({"TRIGGERS_WEBHOOK_ALLOW": pattern})


@pytest.mark.parametrize(
    ("network", "address"),
    [
        ("::ffff:10.0.0.0/104", "10.200.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.1"),
        ("64:ff9b::10.0.0.0/104", "10.200.0.1"),
    ],
)
def test_a_network_within_ipv6_opens_the_addresses_that_are_connected_to(network: str, address: str) -> None:
    allowed = Allowed.of([network])
    assert allowed.problem_of("x", address) == ""
    assert allowed.problem_of("x", "11.0.0.1") == ""
    assert allowed.problem_of("x", "192.168.0.1") != ""


@pytest.mark.parametrize("host", ["b\u00fccher.internal", "xn--bcher-kva.internal", "B\u00dcCHER.internal."])
def test_a_host_of_other_letters_is_open_in_each_of_its_forms(host: str) -> None:
    for named in ("b\u00fccher.internal", "xn--bcher-kva.internal"):
        assert Allowed.of([named]).problem_of(host, "10.0.0.1") == ""
