"""One kind of hostile file: how it is made, and what must be said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Make = Callable[[], bytes]
# Lays something that is no plain file of bytes at a path; False where this machine cannot have it.
Place = Callable[[Path], bool]


@dataclass(frozen=True)
class Kind:
    """A file called `name`.

    `code` is the kind of finding that it must get, None for a photo that is odd but good; `words` a part of the
    reason. It holds the bytes that `make` returns; where `place` is given, that lays it instead.
    """

    name: str
    make: Make | None = None
    code: str | None = None
    words: str = ""
    place: Place | None = None

    def put(self, folder: Path) -> Path | None:
        """Lay the file in `folder`, which exists. Its path, or None where this machine cannot have such a file."""
        path = folder / self.name
        if self.place is not None:
            return path if self.place(path) else None
        path.write_bytes(self.content())
        return path

    def content(self) -> bytes:
        """The bytes of the file. Only of kinds that are bytes."""
        assert self.make is not None, f"{self.name} is no plain file"
        return self.make()
