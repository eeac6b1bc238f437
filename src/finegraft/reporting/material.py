"""What a report is made from: everything comes from the RUN folder, or from an Evaluation alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from finegraft import modality
from finegraft.data.dataset import Dataset
from finegraft.errors import FinegraftError, RunError
from finegraft.evaluation.result import Evaluation
from finegraft.evaluation.run import Run
from finegraft.reporting import wording
from finegraft.reporting.album import SIDE, Album

_NOUNS = {"vision": "photo"}
_LARGEST = 256 * 2**20  # bytes of one file that a thumbnail is made from: the limit of reading


@dataclass(frozen=True)
class Material:
    """The numbers and names a report shows. Without a run, only `evaluation` is there."""

    evaluation: Evaluation
    folder: Path | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    dataset: Dataset | None = None
    history: Sequence[Mapping[str, Any]] = ()
    lr_curve: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, source: Run | Evaluation) -> Material:
        """Reads a run's files; takes an Evaluation as it is."""
        if isinstance(source, Evaluation):
            return cls(source)
        settings = source.settings
        curve = source.lr_curve or settings.get("lr_curve")
        evaluation = source.evaluation()
        if not isinstance(evaluation, Evaluation):
            raise RunError(f"The run {source.path} answers with no classes.", "Only runs of classes have this page.")
        return cls(evaluation, source.path, settings, source.dataset(), source.history(), curve)

    @property
    def noun(self) -> str:
        """What one record is called: photo, or record where the kind of data is not known."""
        return _NOUNS.get(str(self.settings.get("modality")), "record")

    def counted(self, number: int) -> str:
        """`number` records, by their name: "372 photos"."""
        return wording.count(number, self.noun)

    def part(self, name: str) -> Mapping[str, Any]:
        """One group of run.json, empty where it was not written."""
        found = self.settings.get(name)
        return found if isinstance(found, Mapping) else {}

    @cached_property
    def album(self) -> Album:
        """The photos of this report's page."""
        return Album(lambda key: self.thumbnail(key, SIDE))

    @property
    def root(self) -> Path | None:
        """The folder the records were read from, None where it is not recorded or no longer there.

        Of an archive that is the place it was unpacked to, which may have been cleared.
        """
        recorded = self.settings.get("root", self.settings.get("data"))
        if not isinstance(recorded, str) or not Path(recorded).is_dir():
            return None
        return Path(recorded)

    def thumbnail(self, key: str, side: int) -> bytes | None:
        """A small picture of one record, None where there is none to be had: file gone, changed, unreadable.

        A key that leads out of the data's folder is followed only where it may: in a table, whose rows may name any
        file, and in a test part of its own.
        """
        root, inside = self.root, PurePosixPath(key)
        leads_out = inside.is_absolute() or ".." in inside.parts
        if root is None or (leads_out and not self._may_lead_out):
            return None
        try:
            if (root / inside).stat().st_size > _LARGEST:
                return None
            return modality.get(str(self.settings.get("modality"))).thumbnail((root / inside).read_bytes(), side)
        except (OSError, FinegraftError, ValueError):
            return None

    @property
    def _may_lead_out(self) -> bool:
        data = Path(str(self.settings.get("data")))
        return (data.parent == self.root and data.is_file()) or bool(self.part("source").get("test"))
