"""One answer, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from finegraft.display import html_of

# The reasons to ask a person: several classes fit, or none was learned from anything like it.
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
            "ranking": [{"label": label, "probability": round(p, 6)} for label, p in self.ranking[:top]],
        }


@dataclass(frozen=True, slots=True)
class PredictionError:
    """An item that cannot be answered; `code` is a kind of finding, `message` its reason and mend."""

    path: str | None
    code: str
    message: str

    def to_json(self) -> dict[str, Any]:
        """One line of `predict --json`."""
        return {"path": self.path, "error": {"code": self.code, "message": self.message}}
