"""What a report is made from: everything comes from the RUN folder, or from an Evaluation alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from finegraft import modality
from finegraft.data.dataset import Dataset
from finegraft.errors import FinegraftError
from finegraft.evaluation.kinds import AnyEvaluation
from finegraft.evaluation.metrics import Metric
from finegraft.evaluation.result import Evaluation
from finegraft.evaluation.run import Run
from finegraft.reporting import wording
from finegraft.reporting.album import SIDE, Album

_NOUNS = {"vision": "photo"}
_LARGEST = 256 * 2**20  # bytes of one file that a thumbnail is made from: the limit of reading


@dataclass(frozen=True)
class Material:
    """The numbers and names a report shows. Without a run, only `judged`, the evaluation, is there."""

    judged: AnyEvaluation
    folder: Path | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    dataset: Dataset | None = None
    history: Sequence[Mapping[str, Any]] = ()
    lr_curve: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, source: Run | AnyEvaluation) -> Material:
        """Reads a run's files; takes an evaluation as it is."""
        if not isinstance(source, Run):
            return cls(source)
        settings = source.settings
        curve = source.lr_curve or settings.get("lr_curve")
        return cls(source.evaluation(), source.path, settings, source.dataset(), source.history(), curve)

    @property
    def evaluation(self) -> Evaluation:
        """The evaluation of classes, for what speaks of these only."""
        if not isinstance(self.judged, Evaluation):
            raise TypeError(f"A {type(self.judged).__name__} tells nothing of classes.")
        return self.judged

    @property
    def metric(self) -> tuple[str, Metric] | None:
        """The figure that was asked for with --metric, by name; None where none was, or these records have none."""
        asked = self.part("settings").get("metric")
        found = self.judged.metrics().get(asked) if isinstance(asked, str) else None
        return None if found is None else (str(asked), found)

    @property
    def unseen(self) -> str:
        """What the model had not learned from when it gave the answers that temperature and thresholds come from."""
        return "kept aside" if self.part("fine_tuning").get("better") else "out of fold"

    @property
    def head_history(self) -> Sequence[Mapping[str, Any]]:
        """The epochs in which the head alone learned."""
        return [row for row in self.history if row.get("stage") != "network"]

    @property
    def tuning_history(self) -> Sequence[Mapping[str, Any]]:
        """The epochs in which the backbone learned too."""
        return [row for row in self.history if row.get("stage") == "network"]

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
