"""What can befall a file: the same for the same dice."""

from __future__ import annotations

import random


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
