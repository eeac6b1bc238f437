"""What opening files once has shown: kept as arrays, since there may be many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, overload

import numpy as np

from finegraft.vision.looks import LOOK

DIGEST_BYTES = 16


class Checked(NamedTuple):
    """What opening one file has shown.

    `digest` is that of its content, "" where it could not be had; `code` a kind of finding and `reason` its
    sentence, both None for a good photo.
    """

    digest: str
    code: str | None = None
    reason: str | None = None


@dataclass(frozen=True, eq=False)
class Checks(Sequence[Checked]):
    """The results for n files, in their order; 100,000 of them cost 15 MB.

    `looks` (n,) of `finegraft.vision.looks.LOOK` is all zeros where a file cannot be used; `digests` uint8 (n, 16)
    is where its content could not be had. `problems` maps a place to code and reason.
    """

    digests: np.ndarray
    looks: np.ndarray
    problems: dict[int, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def nothing(cls, n: int) -> Checks:
        """Room for n results."""
        return cls(np.zeros((n, DIGEST_BYTES), np.uint8), np.zeros(n, LOOK))

    def __len__(self) -> int:
        return len(self.looks)

    @overload
    def __getitem__(self, at: int) -> Checked: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Checked]: ...
    def __getitem__(self, at: int | slice) -> Checked | Sequence[Checked]:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        if not -len(self) <= at < len(self):
            raise IndexError(at)
        at %= len(self)
        raw = self.digests[at].tobytes()
        return Checked(raw.hex() if any(raw) else "", *self.problems.get(at, (None, None)))

    def put(self, at: int, checked: Checked, look: np.ndarray | None) -> None:
        """Keep one result; without a look for a file that cannot be used."""
        self.digests[at] = np.frombuffer(bytes.fromhex(checked.digest) or bytes(DIGEST_BYTES), np.uint8)
        self.looks[at] = np.zeros((), LOOK) if look is None else look
        if checked.code is not None:
            self.problems[at] = (checked.code, checked.reason or "")
