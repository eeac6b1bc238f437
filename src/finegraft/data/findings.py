"""A finding: a suspicion about one record, or about the whole set. Never a judgement, never an action."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """A suspicion of one `kind` about the record `key`.

    `other` is the second record of a pair. `score` lies in 0..1, 1 meaning sure. `note` is a sentence a
    person can act on. A finding about the whole set has the key "".
    """

    key: str
    kind: str
    score: float
    note: str
    other: str | None = None

    def to_json(self) -> dict[str, Any]:
        """One entry of `check --json`."""
        return {"key": self.key, "other": self.other, "kind": self.kind, "score": self.score, "note": self.note}


# kind -> what it means in words; `LEAVES_OUT` names those whose record is not used.
KINDS: dict[str, str] = {
    "unreadable": "the file cannot be opened or decoded to its end",
    "empty": "the file holds no bytes",
    "not-a-photo": "the content is not a photo, whatever the name says",
    "too-large": "the file exceeds the limits on bytes or pixels",
    "misplaced": "the photo lies in no class folder or outside the given splits, or its row lacks path or label",
    "exact-copy": "the same bytes as another record",
    "near-copy": "nearly the same as another record: resized, recompressed, cropped a little or mirrored",
    "two-labels": "the same photo under two labels",
    "leak": "the same photo in two of the given splits",
    "dark": "nearly all of the photo is black",
    "light": "nearly all of the photo is white",
    "blurred": "the photo shows no detail where a model looks for it",
    "tiny": "the photo has few pixels",
    "odd-shape": "the photo is far longer than wide, or wider than long",
    "stretched": "the same photo as another record in another shape",
    "animated": "a film or a stack of pictures, of which the first one is used",
    "imbalance": "one class has many times the records of another",
    "few": "a class has too few records to learn or to judge",
}
LEAVES_OUT = frozenset({"unreadable", "empty", "not-a-photo", "too-large", "misplaced"})
