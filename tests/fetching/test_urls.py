from __future__ import annotations

import pytest

from finegraft.fetching.reasons import Trouble
from finegraft.fetching.urls import join, parse


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("http://example.org", "http://example.org/"),
        ("  HTTPS://EXAMPLE.org:443/A.jpg  ", "https://example.org/A.jpg"),
        ("http://example.org:8080/a.jpg?x=1&y=2#top", "http://example.org:8080/a.jpg?x=1&y=2"),
        ("http://example.org/my photo.jpg", "http://example.org/my%20photo.jpg"),
        ("http://example.org/my%20photo.jpg", "http://example.org/my%20photo.jpg"),
        ("http://example.org/größe.jpg?q=ü", "http://example.org/gr%C3%B6%C3%9Fe.jpg?q=%C3%BC"),
        ("http://Bücher.example/a", "http://xn--bcher-kva.example/a"),
        ("http://example.org./a", "http://example.org/a"),
        ("http://[2606:4700::1111]:81/a", "http://[2606:4700::1111]:81/a"),
        ("http://my_host/a", "http://my_host/a"),
        ("http://127.1/a", "http://127.1/a"),
        ("http://example.org/a,b;c=(1)'*!$@:~", "http://example.org/a,b;c=(1)'*!$@:~"),
        ('http://example.org/a"<b>', "http://example.org/a%22%3Cb%3E"),
    ],
)
def test_one_spelling(text: str, spelled: str) -> None:
    assert str(parse(text)) == spelled
    assert parse(spelled) == parse(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "The address has 0 characters"),
        ("http://example.org/" + "a" * 9000, "9,019 characters; 1 to 8,192 are possible"),
        ("www.example.org/a.jpg", "'www.example.org/a.jpg' is no http or https address: it must begin with http://"),
        ("//example.org/a.jpg", "is no http or https address"),
        ("mailto:me@example.org", "is no http or https address"),
        ("ftp://example.org/a.jpg", "Addresses that begin with ftp:// are not fetched"),
        ("file:///etc/passwd", "Addresses that begin with file:// are not fetched"),
        ("http://me:secret@example.org/", "holds a user name or a password, which is not sent"),
        ("http://good.org@127.0.0.1/", "holds a user name or a password"),
        ("http://good.org\\@127.0.0.1/", "a backslash or a control character"),
        ("http://example.org/a\r\nHost: b", "a backslash or a control character"),
        ("http://exam\tple.org/", "a backslash or a control character"),
        ("http://example.org:0/", "the port 0"),
        ("http://example.org:99999/", "cannot be read: Port out of range"),
        ("http://example.org:word/", "cannot be read: Port could not be cast"),
        ("http://[::1/", "cannot be read: Invalid IPv6 URL"),
        ("http:///a.jpg", "names no host"),
        ("http://a b/", "'a b' can be no host's name"),
        ("http://" + "a" * 70 + ".org/", "can be no host's name"),
        ("http://%31/", "can be no host's name"),
    ],
)
def test_what_is_no_plain_address(text: str, says: str) -> None:
    with pytest.raises(Trouble) as raised:
        parse(text)
    assert (raised.value.kind, raised.value.passing) == ("bad-url", False)
    assert says in raised.value.reason


def test_names_and_origins() -> None:
    url = parse("https://[2606:4700::1111]:8443/a?b")
    assert (url.name, url.authority, url.path) == ("2606:4700::1111", "[2606:4700::1111]:8443", "/a?b")
    assert url.origin == "https://[2606:4700::1111]:8443"
    assert parse("http://example.org/").origin != parse("https://example.org/").origin


@pytest.mark.parametrize(
    ("location", "place"),
    [
        ("/b.jpg", "http://example.org/b.jpg"),
        ("b.jpg", "http://example.org/a/b.jpg"),
        ("?page=2", "http://example.org/a/1?page=2"),
        ("//other.org/b", "http://other.org/b"),
        (" https://other.org/b ", "https://other.org/b"),
    ],
)
def test_redirects_are_relative_to_where_they_come_from(location: str, place: str) -> None:
    assert str(join(parse("http://example.org/a/1"), location)) == place


@pytest.mark.parametrize("location", ["file:///etc/passwd", "javascript:alert(1)", "http://[x", "http://me:pw@b/"])
def test_a_redirect_to_what_is_no_address(location: str) -> None:
    with pytest.raises(Trouble, match=r"example\.org redirects to ") as raised:
        join(parse("http://example.org/a"), location)
    assert raised.value.kind == "redirects"
