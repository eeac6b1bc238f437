"""kill -9 at random moments of check, features and train: nothing half-written passes for whole afterwards."""

from __future__ import annotations

from collections import Counter

from benchmarks.faults import chosen, sittings
from benchmarks.promise import Measured, Promise, at_most
from benchmarks.workshop import Workshop
from tests.faults.ground import Ground
from tests.faults.preloaded import Preloaded
from tests.faults.sitting import Sitting

KILLS = 100
SCENARIOS = ("check", "train, empty", "train, full")
# One head and few epochs: the promise is about what is written, not about how good it is.
OPTIONS = ("--head", "linear", "--epochs", "3")


def _faults(workshop: Workshop) -> Measured:
    with Preloaded() as server:
        # The stopped commands are started as a person starts them; those that follow are forked off `server`.
        root, surroundings = workshop.empty("killing"), workshop.environment()
        ground = Ground(root, workshop.data("pets"), OPTIONS, server, executed=True, surroundings=surroundings)
        done = sittings(ground, chosen(SCENARIOS), KILLS, changes=0, seed=0)
    faults = [fault for sitting in done for fault in sitting.faults]
    hits = sum(len(sitting.hits) for sitting in done)
    words = f"{len(faults)} after {hits} kills; hit: {'; '.join(map(phases_hit, done))}. Under way: {under_way(done)}"
    figures: dict[str, object] = {"kills": hits, "faults": faults}
    figures["phases"] = {sitting.scenario.name: sitting.phases for sitting in done}
    return Measured(len(faults) + KILLS - hits, words, figures)  # a kill that met no process proves nothing


def phases_hit(sitting: Sitting) -> str:
    """ "train, full cache: start 3, features 12", without the phases that were over too soon to be hit."""
    hits = ", ".join(f"{phase} {count}" for phase, count in sitting.phases.items() if count)
    return f"{sitting.scenario.name}: {hits}"


def under_way(done: list[Sitting]) -> str:
    """What lay there at the moments of death, and how often."""
    counted: Counter[str] = Counter()
    for sitting in done:
        counted.update(sitting.under_way)
    return ", ".join(f"{what} {count}" for what, count in sorted(counted.items())) or "nothing"


ROWS = [
    Promise(
        "dirt-6-kill",
        "kill -9 at 100 random moments of check, features and train on 370 photos: faults found afterwards "
        "(the next commands fail, something half-written is taken for whole, something is left lying about)",
        at_most(0),
        'python -m benchmarks.faults --data $DATA/pets --train "--head linear --epochs 3" --changes 0 '
        '--only check "train, empty" "train, full"',
        _faults,
    ),
]
