"""Broken, malicious and merely odd files, of every kind known; what must be said of each stands beside it.

    python -m tests.hostile FOLDER

writes them all. All bytes are the same each time.
"""

from tests.hostile import bombs, damaged, odd, places, strangers
from tests.hostile.kind import Kind

KINDS: tuple[Kind, ...] = (*damaged.KINDS, *strangers.KINDS, *bombs.KINDS, *places.KINDS, *odd.KINDS)
BROKEN = tuple(kind for kind in KINDS if kind.code is not None)
GOOD = tuple(kind for kind in KINDS if kind.code is None)
