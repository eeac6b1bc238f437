"""Named ways to change photos while they are learned from: rows of data."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Literal

from finegraft.errors import UsageError


@dataclass(frozen=True)
class Augmentation:
    """How much photos are changed; each value is drawn anew for every view.

    `area` is the part of the photo that is shown, None for the middle square as it is judged. `turn` is the largest
    angle in degrees, `tilt` how far corners are drawn in, as a share of the side. `light` is how far brightness and
    contrast, `colour` how far saturation may lie from 1; `hue` is how far colours turn, in turns of the colour wheel.
    `erase` is how often a rectangle is covered. `operations` are drawn from a policy's own table, `count` of them.
    """

    name: str
    area: tuple[float, float] | None = (0.35, 1.0)
    mirror: bool = True
    turn: float = 0.0
    tilt: float = 0.0
    light: float = 0.2
    colour: float = 0.0
    hue: float = 0.0
    erase: float = 0.0
    operations: Literal["", "trivial", "rand"] = ""
    count: int = 0


# Szegedy et al., 2015, arXiv 1409.4842, section 6, show 8 to 100 % of the area; with so little, what a photo shows is
# often outside. Erasing: Zhong et al., 2017, arXiv 1708.04896. Policies: Müller and Hutter, 2021, "TrivialAugment",
# arXiv 2103.10158; Cubuk et al., 2019, "RandAugment", arXiv 1909.13719.
SETS = {
    row.name: row
    for row in (
        Augmentation("none", None, mirror=False, light=0.0),
        Augmentation("light"),
        Augmentation("standard", turn=10.0, tilt=0.1, colour=0.2),
        Augmentation("strong", (0.2, 1.0), turn=15.0, tilt=0.2, light=0.4, colour=0.4, hue=0.05, erase=0.25),
        Augmentation("trivial", light=0.0, operations="trivial", count=1),
        Augmentation("rand", light=0.0, operations="rand", count=2),
    )
}
DEFAULT = "light"


def find(name: str) -> Augmentation:
    """The row called `name`. Raises `UsageError` with a suggestion where there is none."""
    if name not in SETS:
        near = difflib.get_close_matches(name, SETS, n=1, cutoff=0.5)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        raise UsageError(f"There is no way to change photos called {name!r}.", f"{hint}There are: {', '.join(SETS)}.")
    return SETS[name]
