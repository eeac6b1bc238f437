"""MODEL on the command line: a bundle, a RUN folder, or the word `imagenet`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from finegraft.cli.suggestions import did_you_mean
from finegraft.errors import BundleError, RunError

if TYPE_CHECKING:
    from finegraft.evaluation.run import Run
    from finegraft.inference.predictor import Predictor

IMAGENET = "imagenet"
_MAY_BE = f"Give a RUN folder, a bundle (.fg), or the word {IMAGENET} for the backbone's own 1,000 classes."


def is_imagenet(text: str) -> bool:
    """True for the word, unless something of that name lies here."""
    return text == IMAGENET and not Path(text).exists()


def run_of(text: str) -> Run | None:
    """The run that the model `text` came from: its folder, or the one its bundle still lies in; None without one.

    Raises `RunError` for a folder that is no finished run.
    """
    from finegraft.evaluation.run import Run

    path = Path(text)
    if path.is_dir():
        return Run.open(path)
    try:
        run = Run.open(path.parent)
    except RunError:
        return None
    return run if path.name == run.model.name else None


def open_model(text: str, engine: str = "auto", verify: Literal["all", "one"] = "one") -> Predictor:
    """The predictor that `text` names. Raises `BundleError` saying what MODEL may be where it names none."""
    path = Path(text)
    if is_imagenet(text):
        from finegraft.vision.body import pretrained

        return pretrained(engine=engine)
    if path.is_dir():
        from finegraft.evaluation.run import Run

        path = Run.open(path).model
        if not path.exists():
            raise BundleError(f"The run {text} has lost its {path.name}.", "Train again with --force.")
    if not path.exists():
        raise BundleError(f"There is no model {text}.", did_you_mean(text, [IMAGENET], _MAY_BE, cutoff=0.7))
    from finegraft.inference.bundle import load

    return load(path, engine=engine, verify=verify)
