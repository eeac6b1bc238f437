"""What the folders above a photo say: its class and its given split."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from finegraft.data.record import Split

SPLITS: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "valid": "validation",
    "validation": "validation",
    "val": "validation",
    "test": "test",
    "testing": "test",
}

Folders = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """The label of the class folder (None: in none), the given split, and whether it lies outside given splits."""

    label: str | None
    split: Split | None
    outside: bool = False


@dataclass(frozen=True)
class Layout:
    """How the folders of one set are laid out.

    A folder called "train" is a split where class folders lie below it or beside a split that has some; where photos
    lie in it and in ordinary folders beside it, it is a class (trains are a class of many sets).
    """

    holding: frozenset[Folders]  # folders with a photo directly in them
    above: frozenset[Folders]  # folders with such a folder somewhere below

    @classmethod
    def of(cls, keys: Iterable[str]) -> Layout:
        """The layout of the usable photos with these keys."""
        holding = frozenset(tuple(key.split("/")[:-1]) for key in keys)
        return cls(holding, frozenset(folders[:i] for folders in holding for i in range(len(folders))))

    def place(self, key: str) -> Place:
        """Where the file with this key belongs; a label is in Unicode's composed form, however the disk spells it."""
        folders = tuple(key.split("/")[:-1])
        split = next((SPLITS[name.lower()] for name in folders[:-1] if name.lower() in SPLITS), None)
        if not folders:
            return Place(None, None)
        if split is None and folders[-1].lower() in SPLITS and not self._is_class(folders):
            return Place(None, SPLITS[folders[-1].lower()])
        return Place(unicodedata.normalize("NFC", folders[-1]), split, split is None and self._has_training_part)

    @functools.cached_property
    def _has_training_part(self) -> bool:
        return any(SPLITS.get(name.lower()) == "train" for folders in self.holding for name in folders[:-1])

    def _is_class(self, folders: Folders) -> bool:
        """Whether a folder named like a split, in none itself, is a class: beside classes, and above none."""
        beside = folders[:-1]
        splits_beside = any(f[:-1] == beside and f[-1].lower() in SPLITS for f in self.above if f)
        classes_beside = any(f[:-1] == beside and f[-1].lower() not in SPLITS for f in self.holding if f)
        return classes_beside and not splits_beside
