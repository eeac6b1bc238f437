from __future__ import annotations

import ipaddress
import random

import pytest

from finegraft.fetching.addresses import can_be_allowed, literal, refusal

PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "172.15.255.255",
    "172.32.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "169.253.255.255",
    "192.167.255.255",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450:4001:81b::200e",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2002:808:808::1",
]
# address, what it is called, whether it may be reached with leave
REFUSED = [
    ("0.0.0.0", "no machine's address", False),
    ("0.1.2.3", "no machine's address", False),
    ("10.0.0.0", "in a private network", True),
    ("10.255.255.255", "in a private network", True),
    ("100.64.0.1", "in a provider's private network", True),
    ("127.0.0.1", "this machine itself", True),
    ("127.255.255.254", "this machine itself", True),
    ("169.254.169.254", "link-local, where clouds keep their metadata", False),
    ("172.16.0.1", "in a private network", True),
    ("172.31.255.255", "in a private network", True),
    ("192.0.0.8", "reserved for protocols", False),
    ("192.0.2.1", "for documents only", False),
    ("192.88.99.1", "a relay to IPv6, no longer in use", False),
    ("192.168.1.1", "in a private network", True),
    ("198.18.0.1", "for measurements only", False),
    ("198.51.100.1", "for documents only", False),
    ("203.0.113.1", "for documents only", False),
    ("224.0.0.1", "a multicast group", False),
    ("239.255.255.255", "a multicast group", False),
    ("240.0.0.1", "reserved", False),
    ("255.255.255.255", "reserved", False),
    ("::", "no machine's address", False),
    ("::1", "this machine itself", True),
    ("::7f00:1", "reserved", False),
    ("::ffff:127.0.0.1", "this machine itself", True),
    ("::ffff:10.0.0.1", "in a private network", True),
    ("::ffff:169.254.169.254", "link-local, where clouds keep their metadata", False),
    ("64:ff9b::7f00:1", "this machine itself", True),
    ("64:ff9b::a9fe:a9fe", "link-local, where clouds keep their metadata", False),
    ("64:ff9b:1::1", "reserved", False),
    ("100::1", "reserved", False),
    ("2001::1", "reserved for protocols", False),
    ("2001:db8::1", "for documents only", False),
    ("2002:7f00:1::1", "this machine itself", True),
    ("2002:c0a8:101::1", "in a private network", True),
    ("3fff::1", "for documents only", False),
    ("4000::1", "reserved", False),
    ("5f00::1", "reserved", False),
    ("fc00::1", "in a private network", True),
    ("fd12:3456::1", "in a private network", True),
    ("fe80::1", "link-local", False),
    ("fe80::1%eth0", "link-local", False),
    ("fec0::1", "in a private network", True),
    ("ff02::1", "a multicast group", False),
]


@pytest.mark.parametrize("address", PUBLIC)
def test_the_public_internet_is_reached(address: str) -> None:
    assert refusal(address) is None
    assert refusal(address, allow_private=True) is None
    assert not can_be_allowed(address)


@pytest.mark.parametrize(("address", "words", "private"), REFUSED)
def test_what_is_refused_and_what_leave_opens(address: str, words: str, private: bool) -> None:
    assert refusal(address) == words
    assert refusal(address, allow_private=True) == (None if private else words)
    assert can_be_allowed(address) == private


def test_what_python_calls_private_is_refused_too() -> None:
    """A second opinion on the table: 20,000 addresses by chance, and every network of it at both ends."""
    chance = random.Random(0)
    four = [ipaddress.IPv4Address(chance.getrandbits(32)) for _ in range(10_000)]
    six = [ipaddress.IPv6Address((0x2 << 124 | chance.getrandbits(125)) & (2**128 - 1)) for _ in range(10_000)]
    for address in (*four, *six):
        embeds = isinstance(address, ipaddress.IPv6Address) and (address.sixtofour or address.ipv4_mapped)
        if not embeds and (address.is_private or address.is_multicast or address.is_reserved or address.is_link_local):
            assert refusal(str(address)) is not None, address
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "224.0.0.0/4", "fc00::/7"):
        ends = ipaddress.ip_network(network)
        assert refusal(str(ends[0])) is not None
        assert refusal(str(ends[-1])) is not None


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("0", "0.0.0.0"),
        ("::1", "::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("example.org", None),
        ("1.2.3.4.example.org", None),
        ("256.1.1.1", None),
        ("", None),
    ],
)
def test_addresses_in_any_spelling(host: str, address: str | None) -> None:
    assert literal(host) == address
