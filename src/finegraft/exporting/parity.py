"""Does an export answer as its training did? From file bytes to JSON in a process of its own, or it is not written.

Asked are the run's own judged photos, whose answers the training wrote down, and the golden set, whose answers are the
run's bundle's.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from finegraft.errors import ExportError, UnreadableFile
from finegraft.exporting.golden import golden_set
from finegraft.inference.bundle import TOLERANCE
from finegraft.inference.predictor import Predictor

# Photos of the judged part that are asked; more say no more of a format.
MOST = 500
_SHOWN = 3


@dataclass(frozen=True, eq=False)
class Expected:
    """What one file must be answered with: `values` float64 (k,), or the code of its error."""

    name: str
    path: Path
    values: np.ndarray | None
    code: str | None = None


@dataclass(frozen=True)
class Difference:
    """One file that an export answers otherwise: by how much, and what is said of it."""

    name: str
    amount: float
    words: str


@dataclass(frozen=True)
class Parity:
    """How an export answered `photos` files: the share with the same first answer, and the largest difference of a
    probability (of a number: in spreads of those learned from). `differing` are those beyond the tolerance, worst
    first.
    """

    photos: int
    agreement: float
    max_difference: float
    differing: tuple[Difference, ...]

    def to_json(self) -> dict[str, Any]:
        """`photos`, `agreement`, `max_difference`."""
        return {"photos": self.photos, "agreement": self.agreement, "max_difference": self.max_difference}

    def words(self, numbers: bool) -> str:
        """The figures for people; `numbers` is whether the answers are numbers."""
        if numbers:
            return f"no number off by more than {self.max_difference:.1g} of the spread of those learned from"
        return (
            f"the same first answer for {100 * self.agreement:.1f} %, no probability off by more than "
            f"{self.max_difference:.1g}"
        )

    def must_hold(self, what: str) -> None:
        """Raise `ExportError` with the photos that `what` answers otherwise."""
        if not self.differing:
            return
        shown = "; ".join(f"{row.name}: {row.words}" for row in self.differing[:_SHOWN])
        more = f"; and {len(self.differing) - _SHOWN} more" if len(self.differing) > _SHOWN else ""
        raise ExportError(
            f"The export is not the model that was trained: {what} answers {len(self.differing)} of {self.photos} "
            f"photos otherwise, by up to {self.max_difference:.3g}: {shown}{more}.",
            "Nothing was written. Please report this, with the model.",
        )


def golden(predictor: Predictor, folder: Path) -> list[Expected]:
    """The golden set, written to `folder`, with the answers of `predictor`."""
    rows = []
    for name, content in golden_set().items():
        path = folder / name
        path.write_bytes(content)
        try:
            rows.append(Expected(name, path, predictor.judgement(path).values))
        except UnreadableFile as error:
            rows.append(Expected(name, path, None, error.code))
    return rows


def asked(path: Path, files: Sequence[Path], engine: str = "onnxruntime") -> list[dict[str, Any]]:
    """What the export at `path` says of `files`, in a process of its own. Raises `ExportError` where that fails."""
    command = [sys.executable, "-m", "finegraft.exporting.asked", str(path.resolve()), "--engine", engine]
    given = json.dumps([str(file.resolve()) for file in files])
    with tempfile.TemporaryDirectory(prefix="finegraft-asked-") as elsewhere:
        done = subprocess.run(command, input=given, capture_output=True, text=True, cwd=elsewhere)
    lines = done.stdout.splitlines()
    if done.returncode or len(lines) != len(files):
        raise ExportError(f"The export cannot be asked: {done.stderr.strip() or 'it ended without a word'}.", "")
    return [json.loads(line) for line in lines]


def compared(expected: Sequence[Expected], answers: Sequence[Mapping[str, Any]], spread: float = 1.0) -> Parity:
    """What was `expected` beside the `answers`; numbers are counted in `spread`s."""
    differing, same, largest = [], 0, 0.0
    for row, answer in zip(expected, answers, strict=True):
        if row.values is None or "error" in answer:
            equal = row.code == answer.get("error")
            same += equal
            if not equal:
                differing.append(Difference(row.name, np.inf, _of_errors(row.code, answer.get("error"))))
            continue
        got = np.asarray(answer["values"])
        apart = np.abs(got - row.values) / spread
        amount = float(np.nan_to_num(apart.max(), nan=np.inf))
        largest = max(largest, amount)
        same += int(got.argmax() == row.values.argmax())
        if not amount <= TOLERANCE:
            at = int(np.nan_to_num(apart, nan=np.inf).argmax())
            differing.append(Difference(row.name, amount, f"{got[at]:.4f} instead of {row.values[at]:.4f}"))
    differing.sort(key=lambda row: -row.amount)
    return Parity(len(expected), same / max(len(expected), 1), largest, tuple(differing))


def _of_errors(wanted: str | None, got: str | None) -> str:
    named = [f"unreadable ({code})" if code else "an answer" for code in (got, wanted)]
    return " instead of ".join(named)
