"""Every photo damaged at random, again and again the same way: whatever comes out, it is a picture or a reason."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from finegraft.errors import UnreadableFile
from finegraft.vision import decoding
from tests.hostile import GOOD
from tests.hostile.accidents import damaged
from tests.hostile.kind import Kind
from tests.making import SUFFIXES

ROUNDS = 16
# Of what Pillow finds in damaged headers; outside pytest the decoder keeps it from the user.
pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning:PIL"),
    pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning"),
]
SMALL = [kind for kind in GOOD if kind.make and len(kind.content()) < 80_000]
SUFFIX = {suffix: kind for kind, suffix in SUFFIXES.items()}


def outcome(content: bytes, shrink: int) -> str:
    decoded = decoded_or_refused(content, shrink)
    if isinstance(decoded, UnreadableFile):
        assert decoded.code in ("unreadable", "empty", "not-a-photo", "too-large")
        assert decoded.reason.isprintable()
        assert decoded.reason.endswith(".")
        return decoded.code
    assert decoded.picture.mode == "RGB"
    assert decoded.orientation in range(1, 9)
    return "picture"


def decoded_or_refused(content: bytes, shrink: int) -> decoding.Decoded | UnreadableFile:
    try:
        photo = decoding.open_photo(content)
        assert decoding.frames(photo) in (1, 2)
        return decoding.decode(photo, shrink)
    except UnreadableFile as error:
        return error


@pytest.mark.parametrize("suffix", sorted(SUFFIX))
def test_damage_gives_a_picture_or_a_reason(suffix: str) -> None:
    dice, found = random.Random(suffix), Counter[str]()
    for kind in [kind for kind in SMALL if kind.name.endswith(suffix)]:
        content = kind.content()
        for _ in range(ROUNDS):
            found[outcome(damaged(content, dice), dice.choice((1, 8)))] += 1
    assert found["picture"] > 0
    assert found["unreadable"] > 0


@pytest.mark.parametrize("kind", SMALL, ids=lambda kind: ascii(kind.name)[:40])
def test_a_photo_cut_anywhere_gives_a_picture_or_a_reason(kind: Kind) -> None:
    content = kind.content()
    for end in range(0, len(content), max(len(content) // 23, 1)):
        outcome(content[:end], 1)
