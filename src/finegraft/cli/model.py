"""MODEL on the command line: a bundle, a RUN folder, or the word `imagenet`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from finegraft.errors import BundleError

if TYPE_CHECKING:
    from finegraft.inference.predictor import Predictor

IMAGENET = "imagenet"


def open_model(text: str, engine: str = "auto", verify: Literal["all", "one"] = "one") -> Predictor:
    """The predictor that `text` names. Raises `BundleError` saying what MODEL may be where it names none."""
    path = Path(text)
    if text == IMAGENET and not path.exists():
        from finegraft.vision.body import pretrained

        return pretrained(engine=engine)
    if path.is_dir():
        from finegraft.evaluation.run import Run

        path = Run.open(path).model
        if not path.exists():
            raise BundleError(f"The run {text} has lost its {path.name}.", "Train again with --force.")
    if not path.exists():
        raise BundleError(f"There is no model {text}.", _hint(text))
    from finegraft.inference.bundle import load

    return load(path, engine=engine, verify=verify)


def _hint(text: str) -> str:
    import difflib

    if difflib.get_close_matches(text.lower(), [IMAGENET], cutoff=0.7):
        return f"Did you mean {IMAGENET!r}?"
    return f"Give a RUN folder, a bundle (.fg), or the word {IMAGENET} for the backbone's own 1,000 classes."
