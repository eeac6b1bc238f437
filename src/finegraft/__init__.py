"""finegraft: graft your own classes onto a model that can already see.

>>> import finegraft as fg
>>> data = fg.vision.read("flowers/").split(valid=0.2, seed=0)      # doctest: +SKIP
>>> learner = fg.vision.learner(data)                               # doctest: +SKIP
>>> learner.fit_one_cycle(4)                                        # doctest: +SKIP
>>> learner.predictor().save("flowers.fg")                          # doctest: +SKIP
>>> fg.load("flowers.fg").predict("rose.jpg")                       # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from finegraft import vision as vision
    from finegraft.data.dataset import Dataset as Dataset
    from finegraft.data.findings import Finding as Finding
    from finegraft.data.record import Record as Record
    from finegraft.errors import FinegraftError as FinegraftError
    from finegraft.evaluation.numbers import NumberEvaluation as NumberEvaluation
    from finegraft.evaluation.result import Evaluation as Evaluation
    from finegraft.evaluation.tags import TagsEvaluation as TagsEvaluation
    from finegraft.inference.bundle import load as load
    from finegraft.inference.prediction import NumberPrediction as NumberPrediction
    from finegraft.inference.prediction import Prediction as Prediction
    from finegraft.inference.prediction import TagsPrediction as TagsPrediction
    from finegraft.inference.predictor import Predictor as Predictor
    from finegraft.reporting.report import report as report
    from finegraft.targets import Category as Category
    from finegraft.training.learner import Learner as Learner

# name -> (module, attribute); loaded on first use (PEP 562), so that `import finegraft` stays instant.
_PUBLIC: dict[str, tuple[str, str | None]] = {
    "Category": ("finegraft.targets", "Category"),
    "Dataset": ("finegraft.data.dataset", "Dataset"),
    "Evaluation": ("finegraft.evaluation.result", "Evaluation"),
    "Finding": ("finegraft.data.findings", "Finding"),
    "FinegraftError": ("finegraft.errors", "FinegraftError"),
    "Learner": ("finegraft.training.learner", "Learner"),
    "NumberEvaluation": ("finegraft.evaluation.numbers", "NumberEvaluation"),
    "NumberPrediction": ("finegraft.inference.prediction", "NumberPrediction"),
    "Prediction": ("finegraft.inference.prediction", "Prediction"),
    "Predictor": ("finegraft.inference.predictor", "Predictor"),
    "Record": ("finegraft.data.record", "Record"),
    "TagsEvaluation": ("finegraft.evaluation.tags", "TagsEvaluation"),
    "TagsPrediction": ("finegraft.inference.prediction", "TagsPrediction"),
    "load": ("finegraft.inference.bundle", "load"),
    "report": ("finegraft.reporting.report", "report"),
    "vision": ("finegraft.vision", None),
}

__all__ = [*sorted(_PUBLIC), "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'finegraft' has no attribute {name!r}")
    module, attribute = _PUBLIC[name]
    loaded = importlib.import_module(module)
    return loaded if attribute is None else getattr(loaded, attribute)


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
