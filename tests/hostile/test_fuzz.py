"""Every photo damaged at random, again and again the same way: whatever comes out, it is a picture or a reason."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from finegraft.errors import UnreadableFile
from finegraft.vision import decoding
from tests.hostile import GOOD
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


def damaged(content: bytes, dice: random.Random) -> bytes:
    """`content` after one to sixteen accidents; half of them in its header."""
    changed = bytearray(content)
    for _ in range(dice.choice((1, 1, 2, 4, 16))):
        at = dice.randrange(len(changed) if dice.random() < 0.5 else min(len(changed), 200))
        accident = dice.randrange(6)
        if accident == 0:
            changed[at] = dice.randrange(256)
        elif accident == 1:
            changed[at] ^= 1 << dice.randrange(8)
        elif accident == 2:
            changed[at : at + 4] = dice.choice((b"\xff\xff\xff\xff", bytes(4), b"\x7f\xff\xff\xff", b"\0\0\xff\xff"))
        elif accident == 3:
            del changed[at : at + dice.randrange(1, 40)]
        elif accident == 4:
            start = dice.randrange(len(changed))
            changed[at:at] = changed[start : start + dice.randrange(1, 60)]
        else:
            changed[at : at + 20] = bytes(20)
        changed = changed or bytearray(b"x")
    return bytes(changed)


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
