"""What run.json keeps of a training: its settings, its environment, what it chose and what it measured."""

from __future__ import annotations

import shlex
import sys
from collections import Counter as Tally
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finegraft import __version__
from finegraft.cli.data_options import DataOptions
from finegraft.cli.environment import environment
from finegraft.cli.slices import slices_json
from finegraft.evaluation import binary
from finegraft.evaluation.growth import LearningCurve
from finegraft.evaluation.leakage import leakage
from finegraft.evaluation.result import Evaluation

if TYPE_CHECKING:
    from finegraft.training.confidence import Calibration
    from finegraft.training.learner import Learner


@dataclass(frozen=True)
class Settings:
    """The options of `train`, as typed; kept in run.json."""

    valid: float
    seed: int
    backbone: str
    weights: str | None
    size: int | None
    resize: str
    head: str
    lr: float | None
    epochs: int | None
    batch_size: int | None
    class_weights: str
    wanted_error: float
    mirror: bool
    engine: str
    device: str


def record(
    data: str, source: DataOptions, settings: Settings, learner: Learner, evaluation: Evaluation, growth: LearningCurve
) -> dict[str, Any]:
    """What run.json keeps of a training, but for the digest of its model, which may tell of this."""
    calibration = learner.calibration
    dataset = learner.data
    leaked = leakage(dataset, evaluation)
    return {
        "finegraft": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join(["finegraft", *sys.argv[1:]]),
        "data": str(Path(data).resolve()),
        "root": str(dataset.root.resolve()),
        "source": source.to_json(),
        "modality": dataset.modality,
        "target": learner.target.to_json(),
        **learner.origin.describe(),
        "settings": {
            **asdict(settings),
            "epochs": len(learner.history.rows),
            "head": learner.head,
            "batch_size": learner.batch_size,
        },
        **learner.class_weights.to_json(learner.target.labels),
        "lr": learner.lr,
        "trials": [asdict(trial) for trial in learner.trials],
        "environment": environment(),
        "n_train": len(dataset.part("train")),
        "n_judged": len(evaluation),
        "judged_on": dataset.judged_on,
        **{name: evaluation.summary_json()[name] for name in ("metrics", "intervals")},
        "thresholds": _thresholds(learner.target.labels, calibration),
        "leakage": None if leaked is None else leaked.to_json(),
        "slices": slices_json(evaluation),
        "looks": evaluation.looks,
        "calibration": calibration.to_json(),
        "learning_curve": growth.to_json(),
        "unsure": {"wanted_error": settings.wanted_error},
        "temperature": calibration.temperature,
        "unsure_below": calibration.unsure_below,
        "findings": dict(Tally(finding.kind for finding in dataset.findings)),
        "finding_rows": [finding.to_json() for finding in dataset.findings],
    }


def _thresholds(labels: Sequence[str], calibration: Calibration) -> dict[str, Any] | None:
    """From which probability on to call a record one of two classes, by the out-of-fold answers; None for more."""
    if len(labels) != 2:
        return None
    return binary.choices(labels, calibration.truth, calibration.probabilities).to_json()
