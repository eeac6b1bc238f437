"""A record: one item of a dataset, good or left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

Split = Literal["train", "validation", "test", "held-out"]


@dataclass(frozen=True, slots=True)
class Record:
    """One item: a file of a folder, later a row of a table.

    `key` is the path relative to the data's root, with "/"; `digest` the hex content digest
    (BLAKE2b, 16 bytes), "" where the bytes could not be read; `left_out` the reason why a record is
    not used, None for a good one.
    """

    key: str
    digest: str
    label: str | None = None
    split: Split | None = None
    left_out: str | None = None

    def to_json(self) -> dict[str, Any]:
        """One line of `manifest.jsonl`."""
        return {
            "key": self.key,
            "digest": self.digest,
            "label": self.label,
            "split": self.split,
            "left_out": self.left_out,
        }

    @classmethod
    def from_json(cls, line: dict[str, Any]) -> Record:
        """The inverse of `to_json`. Raises `KeyError` or `ValueError` for what `to_json` cannot have written."""
        key, digest, label, split, left_out = (line[name] for name in ("key", "digest", "label", "split", "left_out"))
        texts = isinstance(key, str) and isinstance(digest, str)
        if not texts or not all(value is None or isinstance(value, str) for value in (label, split, left_out)):
            raise ValueError("a record holds texts")
        if split is not None and split not in get_args(Split):
            raise ValueError(f"no split is called {split!r}")
        return cls(key, digest, label, cast("Split | None", split), left_out)
