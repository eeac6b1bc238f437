"""Which machines may be reached: the public internet, and with leave the private networks; nothing else.

A list may come from a stranger. Without this check a row, or a redirect, could lead to a router's page, to a service
that trusts its own machine, or to a cloud's metadata.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

# From IANA's registries of special-purpose addresses, with those left out that are globally reachable. Not
# `ipaddress.is_global`: what it says differs between Python's patch releases (CVE-2024-4032). First match counts;
# True: reached with `allow_private`.
_IPV4: tuple[tuple[str, str, bool], ...] = (
    ("0.0.0.0/8", "no machine's address", False),
    ("10.0.0.0/8", "in a private network", True),
    ("100.64.0.0/10", "in a provider's private network", True),
    ("127.0.0.0/8", "this machine itself", True),
    ("169.254.0.0/16", "link-local, where clouds keep their metadata", False),
    ("172.16.0.0/12", "in a private network", True),
    ("192.0.0.0/24", "reserved for protocols", False),
    ("192.0.2.0/24", "for documents only", False),
    ("192.88.99.0/24", "a relay to IPv6, no longer in use", False),
    ("192.168.0.0/16", "in a private network", True),
    ("198.18.0.0/15", "for measurements only", False),
    ("198.51.100.0/24", "for documents only", False),
    ("203.0.113.0/24", "for documents only", False),
    ("224.0.0.0/4", "a multicast group", False),
    ("240.0.0.0/4", "reserved", False),
)
_IPV6: tuple[tuple[str, str, bool], ...] = (
    ("::/128", "no machine's address", False),
    ("::1/128", "this machine itself", True),
    ("fc00::/7", "in a private network", True),
    ("fec0::/10", "in a private network", True),
    ("fe80::/10", "link-local", False),
    ("ff00::/8", "a multicast group", False),
    ("2001::/23", "reserved for protocols", False),
    ("2001:db8::/32", "for documents only", False),
    ("3fff::/20", "for documents only", False),
)
# IPv6 addresses that lead to an IPv4 address: mapped (RFC 4291), NAT64 (RFC 6052), 6to4 (RFC 3056) -> where it stands.
_EMBEDDING = (("::ffff:0:0/96", 0), ("64:ff9b::/96", 0), ("2002::/16", 80))
_UNICAST = IPv6Network("2000::/3")  # all that IANA has given out; what lies outside is not routed


def _table(rows: tuple[tuple[str, str, bool], ...]) -> list[tuple[IPv4Network | IPv6Network, str, bool]]:
    return [(ip_network(network), words, private) for network, words, private in rows]


_TABLES = {4: _table(_IPV4), 6: _table(_IPV6)}


def refusal(address: str, allow_private: bool = False) -> str | None:
    """What `address` is, in words, where it may not be reached; None where it may.

    >>> refusal("10.1.2.3")
    'in a private network'
    >>> refusal("::ffff:127.0.0.1")
    'this machine itself'
    """
    found = ip_address(address.partition("%")[0])
    inner = _embedded(found)
    if inner is not None:
        return refusal(str(inner), allow_private)
    for network, words, private in _TABLES[found.version]:
        if found in network:
            return None if private and allow_private else words
    if isinstance(found, IPv6Address) and found not in _UNICAST:
        return "reserved"
    return None


def can_be_allowed(address: str) -> bool:
    """Whether `allow_private` would make the difference for an address that is refused."""
    return refusal(address) is not None and refusal(address, allow_private=True) is None


def literal(host: str) -> str | None:
    """The address that `host` spells, in any form the system takes (`127.1`, `0x7f000001`); None for a name.

    >>> literal("2130706433")
    '127.0.0.1'
    """
    try:
        return str(ip_address(host.partition("%")[0]))
    except ValueError:
        pass
    try:
        # Also takes what begins like an address and goes on after a blank, which no host has.
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None


def _embedded(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    if isinstance(address, IPv6Address):
        for network, shift in _EMBEDDING:
            if address in IPv6Network(network):
                return IPv4Address((int(address) >> shift) & 0xFFFFFFFF)
    return None
