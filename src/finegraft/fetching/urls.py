"""The text of an address, checked and in one spelling: http and https only, and nothing that hides where it leads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

from finegraft.fetching.reasons import Trouble

_PORTS = {"http": 80, "https": 443}
_LONGEST = 8192  # RFC 9110, 4.1 asks for 8,000; many servers answer 414 above
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\]")
# What a path or query may hold as it is (RFC 3986, 3.3 and 3.4); "%" too, since it is most likely encoded already.
_PATH = "/%:@!$&'()*+,;=~-._"
_QUERY = _PATH + "?"


@dataclass(frozen=True, slots=True)
class Url:
    """One address to be asked. `host` is lower-case ASCII, an IPv6 address in brackets; `path` has the query in it."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin(self) -> str:
        """Scheme, host and port: what robots.txt and connections belong to.

        >>> parse("HTTP://Example.org:80/a b.jpg#top").origin
        'http://example.org'
        """
        return f"{self.scheme}://{self.authority}"

    @property
    def authority(self) -> str:
        """Host, and port where it is not the usual one: the Host header."""
        return self.host if self.port == _PORTS[self.scheme] else f"{self.host}:{self.port}"

    @property
    def name(self) -> str:
        """The host without brackets: what is looked up and what a certificate must be for."""
        return self.host.strip("[]")

    def __str__(self) -> str:
        return self.origin + self.path


def parse(text: str) -> Url:
    """The address in `text`, in one spelling: two that differ only in that are equal. Raises `Trouble` ("bad-url").

    >>> str(parse("HTTP://Example.org:80/a b.jpg#top"))
    'http://example.org/a%20b.jpg'
    """
    text = text.strip()
    if not text or len(text) > _LONGEST:
        raise _bad(f"The address has {len(text):,} characters; 1 to {_LONGEST:,} are possible.")
    # urlsplit drops line feeds and tabs without a word, and reads "\" otherwise than browsers do.
    if _CONTROL.search(text) or "\\" in text:
        raise _bad("The address holds a backslash or a control character.")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _bad(f"The address cannot be read: {error}.") from error
    scheme = parts.scheme.lower()
    if scheme not in _PORTS:
        raise _bad(_wrong_scheme(text, scheme))
    if "@" in parts.netloc:
        raise _bad("The address holds a user name or a password, which is not sent.")
    if port == 0:
        raise _bad("The address has the port 0, at which nothing can listen.")
    path = quote(parts.path or "/", safe=_PATH) + (f"?{quote(parts.query, safe=_QUERY)}" if parts.query else "")
    return Url(scheme, _host(host or ""), port or _PORTS[scheme], path)


def join(base: Url, location: str) -> Url:
    """Where a redirect from `base` to `location` leads. Raises `Trouble`: "redirects" where that is no address."""
    try:
        return parse(urljoin(str(base), location.strip()))
    except (ValueError, Trouble) as error:
        reason = error.reason if isinstance(error, Trouble) else f"{error}."
        raise Trouble("redirects", f"{base.authority} redirects to {location[:200]!r}. {reason}") from error


def _host(host: str) -> str:
    host = host.rstrip(".").lower()
    try:
        ascii_host = f"[{host}]" if ":" in host else host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise _bad(f"{host[:80]!r} can be no host's name.") from error
    if not _HOST.fullmatch(ascii_host):
        raise _bad(f"{host[:80]!r} can be no host's name." if host else "The address names no host.")
    return ascii_host


def _wrong_scheme(text: str, scheme: str) -> str:
    if not scheme or "://" not in text[: len(scheme) + 3]:
        return f"{text[:80]!r} is no http or https address: it must begin with http:// or https://."
    return f"Addresses that begin with {scheme}:// are not fetched; only http:// and https:// are."


def _bad(reason: str) -> Trouble:
    return Trouble("bad-url", reason)
