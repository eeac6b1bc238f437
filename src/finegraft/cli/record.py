"""What run.json keeps of a training: its settings, its environment, what it chose and what it measured."""

from __future__ import annotations

import shlex
import sys
from collections import Counter as Tally
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
from finegraft.evaluation.kinds import AnyEvaluation
from finegraft.evaluation.leakage import leakage
from finegraft.evaluation.result import Evaluation
from finegraft.targets import Category, Tags, Target

if TYPE_CHECKING:
    from finegraft.training.learner import Learner
    from finegraft.training.tasks import AnyCalibration


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
    metric: str | None
    mirror: bool
    engine: str
    device: str
    fine_tune: str | int
    budget: float | None
    augment: str
    mixup: bool
    track: str | None
    show_batch: str | None
    workers: int | None
    resize_from: int | None


def record(
    data: str,
    source: DataOptions,
    settings: Settings,
    learner: Learner,
    evaluation: AnyEvaluation,
    growth: LearningCurve | None,
) -> dict[str, Any]:
    """What run.json keeps of a training, but for the digest of its model, which may tell of this."""
    calibration = learner.calibration
    dataset = learner.data
    leaked = leakage(dataset, evaluation) if isinstance(evaluation, Evaluation) else None
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
            "epochs": learner.epochs,
            "head": learner.head,
            "batch_size": learner.batch_size,
        },
        **learner.class_weights.to_json(dataset.classes),
        "lr": learner.lr,
        "trials": [trial.to_json() for trial in learner.trials],
        "environment": environment(),
        "fine_tuning": None if learner.tuned is None else learner.tuned.to_json(),
        "n_train": len(dataset.part("train")),
        "n_judged": len(evaluation),
        "judged_on": dataset.judged_on,
        "metric": learner.metric,
        **{name: evaluation.summary_json()[name] for name in ("metrics", "intervals")},
        "thresholds": _thresholds(learner.target, calibration),
        "leakage": None if leaked is None else leaked.to_json(),
        "slices": slices_json(evaluation) if isinstance(evaluation, Evaluation) else [],
        "looks": learner.looks,
        "calibration": calibration.to_json(),
        "learning_curve": None if growth is None else growth.to_json(),
        "unsure": {"wanted_error": settings.wanted_error},
        **{name: found for name, found in calibration.certainty.items() if name not in ("thresholds", "platt")},
        "findings": dict(Tally(finding.kind for finding in dataset.findings)),
        "finding_rows": [finding.to_json() for finding in dataset.findings],
    }


def _thresholds(target: Target, calibration: AnyCalibration) -> dict[str, Any] | None:
    """From which probability on a tag is answered, or a record called one of two classes, by the out-of-fold answers.

    None where there are more classes, and for a number.
    """
    from finegraft.training.category_calibration import Calibration
    from finegraft.training.tag_calibration import TagCalibration

    if isinstance(calibration, TagCalibration) and isinstance(target, Tags):
        return dict(zip(target.labels, calibration.thresholds.tolist(), strict=True))
    if not isinstance(calibration, Calibration) or not isinstance(target, Category) or len(target) != 2:
        return None
    return binary.choices(target.labels, calibration.truth, calibration.probabilities).to_json()
