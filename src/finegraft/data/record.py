"""A record: one item of a dataset, good or left out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

Split = Literal["train", "validation", "test", "held-out"]
# One class, several tags (sorted, none twice), or a number.
Label = str | tuple[str, ...] | float


@dataclass(frozen=True, slots=True)
class Record:
    """One item: a file of a folder, or a row of a table.

    `key` is the path relative to the data's root, with "/"; `digest` the hex content digest (BLAKE2b, 16 bytes), ""
    where the bytes could not be read; `left_out` the reason why a record is not used, None for a good one. `group`
    names what must stay on one side of every split, such as the copies of one photo; None where it stands alone.
    """

    key: str
    digest: str
    label: Label | None = None
    split: Split | None = None
    left_out: str | None = None
    group: str | None = None

    @property
    def together(self) -> str:
        """Records of equal `together` are never learned from and judged at once: the group, else the content."""
        return self.group or self.digest

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes it counts for: one, several tags, or none where the label is a number or missing."""
        if isinstance(self.label, str):
            return (self.label,)
        return self.label if isinstance(self.label, tuple) else ()

    def to_json(self) -> dict[str, Any]:
        """One line of `manifest.jsonl`."""
        return {
            "key": self.key,
            "digest": self.digest,
            "label": list(self.label) if isinstance(self.label, tuple) else self.label,
            "split": self.split,
            "left_out": self.left_out,
            "group": self.group,
        }

    @classmethod
    def from_json(cls, line: dict[str, Any]) -> Record:
        """The inverse of `to_json`. Raises `KeyError` or `ValueError` for what `to_json` cannot have written."""
        key, digest, split, left_out = (line[name] for name in ("key", "digest", "split", "left_out"))
        group = line.get("group")  # manifests of the first format have none
        texts = isinstance(key, str) and isinstance(digest, str)
        if not texts or not all(value is None or isinstance(value, str) for value in (split, left_out, group)):
            raise ValueError("a record holds texts")
        if split is not None and split not in get_args(Split):
            raise ValueError(f"no split is called {split!r}")
        return cls(key, digest, _label(line["label"]), cast("Split | None", split), left_out, group)


def _label(stored: object) -> Label | None:
    if stored is None or isinstance(stored, str):
        return stored
    if isinstance(stored, list) and all(isinstance(tag, str) for tag in stored):
        return tuple(stored)
    if isinstance(stored, int | float) and not isinstance(stored, bool) and math.isfinite(stored):
        return float(stored)
    raise ValueError(f"a label is a text, a list of texts or a number, not {stored!r}")
