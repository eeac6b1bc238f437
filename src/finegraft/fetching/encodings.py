"""Bodies that were compressed on their way, though we ask for none: undone, but never beyond a limit."""

from __future__ import annotations

import zlib

from finegraft.fetching.reasons import Trouble

_WINDOW = {"gzip": 31, "x-gzip": 31, "deflate": 15}  # zlib's wbits: 31 is gzip, 15 zlib
_NONE = frozenset({"", "identity", "none", "utf-8", "binary"})  # the last three are mistakes seen on real servers


def decoded(body: bytes, encoding: str, most: int) -> bytes | None:
    """`body` without its Content-Encoding; None where that has more than `most` bytes, which are not made.

    Raises `Trouble` ("broken") for an encoding that is not known, or that `body` does not have.
    """
    encoding = encoding.strip().lower()
    if encoding in _NONE:
        return body
    if encoding not in _WINDOW:
        raise Trouble("broken", f"The photo was sent compressed ({encoding[:40]!r}), which was not asked for.")
    decompressor = zlib.decompressobj(_WINDOW[encoding])
    try:
        content = decompressor.decompress(body, most + 1)
    except zlib.error as error:
        raise Trouble("broken", f"The photo was said to be sent as {encoding}, but is not ({error}).") from error
    if len(content) > most:
        return None
    if not decompressor.eof:
        raise Trouble("broken", f"The photo was sent as {encoding} and broke off.", passing=True)
    return content
