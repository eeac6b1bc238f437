from __future__ import annotations

import gzip
import zlib

import pytest

from finegraft.fetching.encodings import decoded
from finegraft.fetching.reasons import Trouble

CONTENT = bytes(range(256)) * 40


@pytest.mark.parametrize("encoding", ["", "identity", "None", " UTF-8 ", "binary"])
def test_no_encoding_leaves_the_body(encoding: str) -> None:
    assert decoded(CONTENT, encoding, 10) == CONTENT


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("gzip", gzip.compress(CONTENT)), ("X-GZip", gzip.compress(CONTENT)), ("deflate", zlib.compress(CONTENT))],
)
def test_it_is_undone_up_to_a_limit(encoding: str, body: bytes) -> None:
    assert decoded(body, encoding, len(CONTENT)) == CONTENT
    assert decoded(body, encoding, len(CONTENT) - 1) is None


def test_a_bomb_is_not_unpacked() -> None:
    assert decoded(gzip.compress(bytes(2**26)), "gzip", 1000) is None


@pytest.mark.parametrize(
    ("encoding", "body", "says", "passing"),
    [
        ("br", b"x", r"sent compressed \('br'\), which was not asked for", False),
        ("gzip, gzip", b"x", r"sent compressed \('gzip, gzip'\)", False),
        ("gzip", CONTENT, "said to be sent as gzip, but is not", False),
        ("gzip", b"", "sent as gzip and broke off", True),
        ("gzip", gzip.compress(CONTENT)[:-20], "sent as gzip and broke off", True),
    ],
)
def test_what_cannot_be_undone(encoding: str, body: bytes, says: str, passing: bool) -> None:
    with pytest.raises(Trouble, match=says) as raised:
        decoded(body, encoding, 10**6)
    assert (raised.value.kind, raised.value.passing) == ("broken", passing)
