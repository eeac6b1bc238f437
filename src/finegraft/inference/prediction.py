"""One answer, or the reason why there is none."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from finegraft.display import html_of

# The reasons to ask a person: several answers fit, or none was learned from anything like it.
CLOSE_CALL, UNLIKE_TRAINING = "close call", "unlike training"


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer for one item.

    `ranking` holds every class that could have been answered with its probability in 0..1, the answer first, then by
    falling probability. `unsure` is None or the reason to ask a person. `path` is None where bytes were given.
    """

    label: str
    probability: float
    ranking: tuple[tuple[str, float], ...]
    unsure: str | None = None
    path: str | None = None

    def _repr_html_(self) -> str:
        return html_of(self)

    def to_json(self, top: int | None = None) -> dict[str, Any]:
        """One line of `predict --json`, its ranking cut to the first `top`; probabilities to six decimals."""
        return {
            "path": self.path,
            "label": self.label,
            "probability": round(self.probability, 6),
            "unsure": self.unsure,
            "ranking": _rows(self.ranking[:top]),
        }


@dataclass(frozen=True, slots=True)
class TagsPrediction:
    """The answer for one item that may have several tags.

    `labels` holds the tags that were answered with their probabilities, by falling probability; it may be empty.
    `ranking` holds every tag so. `unsure` is None or the reason to ask a person. `path` is None where bytes were given.
    """

    labels: tuple[tuple[str, float], ...]
    ranking: tuple[tuple[str, float], ...]
    unsure: str | None = None
    path: str | None = None

    def _repr_html_(self) -> str:
        return html_of(self)

    def to_json(self, top: int | None = None) -> dict[str, Any]:
        """One line of `predict --json`, its ranking cut to the first `top`; probabilities to six decimals."""
        return {
            "path": self.path,
            "labels": _rows(self.labels),
            "unsure": self.unsure,
            "ranking": _rows(self.ranking[:top]),
        }


@dataclass(frozen=True, slots=True)
class NumberPrediction:
    """The number for one item.

    `interval` holds the true one in 90 of 100 cases, for items like those learned from; None where too few of them
    were there to tell. `unsure` is None or the reason to ask a person. `path` is None where bytes were given.
    """

    value: float
    interval: tuple[float, float] | None = None
    unsure: str | None = None
    path: str | None = None

    def _repr_html_(self) -> str:
        return html_of(self)

    def to_json(self, top: int | None = None) -> dict[str, Any]:  # noqa: ARG002 - as the others have it
        """One line of `predict --json`; numbers to seven digits, what single precision holds."""
        interval = None if self.interval is None else [_short(end) for end in self.interval]
        return {"path": self.path, "value": _short(self.value), "interval": interval, "unsure": self.unsure}


@dataclass(frozen=True, slots=True)
class Explanation:
    """An answer, and what spoke for it in the picture: `heatmap` is a PNG to lay over the whole, upright photo."""

    prediction: Prediction | TagsPrediction | NumberPrediction
    heatmap: bytes

    def to_json(self, top: int | None = None) -> dict[str, Any]:
        """As of the answer, with the heat map as a data URL."""
        picture = base64.b64encode(self.heatmap).decode()
        return {**self.prediction.to_json(top), "heatmap": f"data:image/png;base64,{picture}"}


AnyPrediction = Prediction | TagsPrediction | NumberPrediction


@dataclass(frozen=True, slots=True)
class PredictionError:
    """An item that cannot be answered; `code` is a kind of finding, `message` its reason and mend."""

    path: str | None
    code: str
    message: str

    def to_json(self) -> dict[str, Any]:
        """One line of `predict --json`."""
        return {"path": self.path, "error": {"code": self.code, "message": self.message}}


def _rows(ranking: tuple[tuple[str, float], ...]) -> list[dict[str, Any]]:
    return [{"label": label, "probability": round(p, 6)} for label, p in ranking]


def _short(number: float) -> float:
    return float(f"{number:.7g}")
