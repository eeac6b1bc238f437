"""Whether a 95 % interval holds the truth in 95 of 100 cases, on stored features of clothing's training photos."""

from __future__ import annotations

from benchmarks.promise import Measured, Promise, within
from benchmarks.workshop import Workshop, json_of

LOW, HIGH = 0.93, 0.97
_CALLED = {"accuracy": "accuracy", "macro_recall": "macro recall", "macro_f1": "macro F1", "ece": "calibration error"}


def told(shares: dict[str, float]) -> str:
    """The shares by metric, in words."""
    return ", ".join(f"{called} {shares[name]:.3f}" for name, called in _CALLED.items())


def _measured(workshop: Workshop, way: str) -> tuple[dict[str, float], dict[str, object], str]:
    folder = workshop.data("clothing") / "train"
    found = workshop.once("coverage", lambda: json_of(workshop.python("benchmarks.coverage", folder, cache="clothing")))
    basis = f"{found['splits']} splits, {found['judged']} photos judged, accuracy {found['mean_accuracy']:.3f}"
    return found[way], found, basis


def _alone(workshop: Workshop) -> Measured:
    shares, found, basis = _measured(workshop, "alone")
    return Measured(shares["accuracy"], f"{told(shares)} ({basis})", found)


def _clustered(workshop: Workshop) -> Measured:
    shares, found, basis = _measured(workshop, "clustered")
    unaware: dict[str, float] = found["unaware"]  # type: ignore[assignment]
    words = f"{told(shares)}; read as if each photo stood alone: {told(unaware)} ({basis})"
    return Measured(shares["accuracy"], words)


COMMAND = "python -m benchmarks.coverage $DATA/clothing/train"

ROWS = [
    Promise(
        "score-1-coverage",
        "500 simulated splits of stored features: how often the 95 % interval of accuracy holds the large-sample truth",
        within(LOW, HIGH),
        COMMAND,
        _alone,
    ),
    Promise(
        "score-1-clusters",
        "the same, photos that look alike being judged together, intervals by cluster",
        within(LOW, HIGH),
        COMMAND,
        _clustered,
    ),
]
