"""How long fine-tuning may take, and what is done in that time: decided before it begins, so that it can be said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from finegraft.errors import UsageError

# Passes over the photos. Fewer than two leave the rate no time to rise and fall; more than eight were not measured.
FEWEST, USUAL, MOST = 2, 4, 8
# Of a network with random weights.
FROM_SCRATCH_USUAL, FROM_SCRATCH_MOST = 30, 100
# Of what is left of a budget, the part that is planned with. What takes longer is noticed after every epoch.
_SURE = 0.95


@dataclass(frozen=True)
class Cost:
    """What fine-tuning costs here, measured on a few photos.

    `view`: seconds to make a changed view of all records, of which there are up to `views` different ones; `learn`: to
    learn from all records once; `rest`: what comes after. `efforts` says of so many epochs what part of `learn` each
    takes.
    """

    view: float
    learn: float
    rest: float
    views: int
    efforts: Callable[[int], Sequence[float]] = lambda epochs: [1.0] * epochs

    def of(self, epochs: int) -> float:
        """Seconds of `epochs` passes."""
        return self.rest + sum(self.each(epochs))

    def each(self, epochs: int) -> list[float]:
        """Seconds of each of so many passes."""
        return [
            self.learn * part + self.view * (number < self.views) for number, part in enumerate(self.efforts(epochs))
        ]


@dataclass(frozen=True)
class Plan:
    """`epochs` passes, 0 where nothing is tuned; `reason` says why so many.

    `seconds` is what it is expected to take, of which `after` come after the last epoch.
    """

    epochs: int
    seconds: float
    reason: str
    after: float = 0.0

    @property
    def sentence(self) -> str:
        """What is going to happen."""
        if self.epochs == 0:
            return f"No fine-tuning: {self.reason}."
        return f"Fine-tuning for {self.epochs} epochs, about {spoken(self.seconds)}: {self.reason}."

    def to_json(self) -> dict[str, Any]:
        """For run.json."""
        return {"epochs": self.epochs, "expected_seconds": self.seconds, "reason": self.reason}


def planned(cost: Cost, epochs: int | None = None, left: float | None = None, pretrained: bool = True) -> Plan:
    """What to do: the wanted `epochs`, else as many as `left` seconds allow, else four; 30 where weights are random.

    Raises `UsageError` for fewer than one epoch.

    >>> planned(Cost(view=20, learn=30, rest=10, views=8), left=300).epochs
    5
    """
    if epochs is not None:
        if epochs < 1:
            raise UsageError(f"The number of epochs must be at least 1, got {epochs!r}.")
        return Plan(epochs, cost.of(epochs), "as many epochs as were asked for", cost.rest)
    usual, most = (USUAL, MOST) if pretrained else (FROM_SCRATCH_USUAL, FROM_SCRATCH_MOST)
    if left is None:
        return Plan(usual, cost.of(usual), "the usual number of epochs", cost.rest)
    room = _SURE * left
    fitting = [n for n in range(FEWEST, most + 1) if cost.of(n) <= room]
    if not fitting:
        least = cost.of(FEWEST)
        return Plan(0, 0.0, f"{FEWEST} epochs would take about {spoken(least)}, and {spoken(max(left, 0))} are left")
    return Plan(fitting[-1], cost.of(fitting[-1]), f"as many epochs as fit into {spoken(left)}", cost.rest)


def spoken(seconds: float) -> str:
    """A time in words.

    >>> spoken(42.4), spoken(250)
    ('42 seconds', '4.2 minutes')
    """
    return f"{seconds:.0f} seconds" if seconds < 90 else f"{seconds / 60:.1f} minutes"
