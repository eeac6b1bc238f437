"""One scenario, stopped many times: which phases were hit, what was under way, and every fault found."""

from __future__ import annotations

import math
import random
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tests.faults import following
from tests.faults.blows import Blow, Fatal, FullDisk, Stroke
from tests.faults.ground import Ground
from tests.faults.moments import moments, positions, spread
from tests.faults.phases import STARTING, WORKING
from tests.faults.process import Ended
from tests.faults.scenarios import Scenario
from tests.faults.traces import LOG, traces

_SIGNALS = {"kill": signal.SIGKILL, "interrupt": signal.SIGINT, "terminate": signal.SIGTERM}
_SHORT = 0.01  # seconds: a phase below it is not aimed at; deaths before changes to the disk reach it
_SIZES = (2**8, 2**25)  # bytes; the files of a run and the cache have between 100 and 20 million


@dataclass(frozen=True)
class Hit:
    """One stop: the blow, how the command ended, what was under way, what is wrong. `before`: the change it met."""

    blow: Blow
    ended: Ended
    under_way: list[str]
    faults: list[str]
    before: str = ""

    @property
    def phase(self) -> str:
        """The phase it struck; a command that had said nothing but had its cache open was past its start."""
        silent = self.ended.phase.name == STARTING and LOG in self.under_way
        return WORKING if silent else self.ended.phase.name

    @property
    def moment(self) -> str:
        """Where it struck: "features 12 of 40", "bundle, before rename run/.part run/model.fg"."""
        phase = f"{self.phase} {self.ended.phase.progress}".strip()
        return phase + (f", before {self.before}" if self.before else "")


@dataclass
class Sitting:
    """All stops of one scenario. `missed` blows came after the end, and are not among the hits."""

    scenario: Scenario
    lengths: dict[str, float]
    hits: list[Hit] = field(default_factory=list)
    missed: int = 0

    @property
    def at_random(self) -> int:
        """Hits at random moments; the others are deaths before a change to the disk."""
        return sum(not isinstance(hit.blow, Fatal) for hit in self.hits)

    @property
    def phases(self) -> dict[str, int]:
        """Phase -> hits, in the order of an undisturbed command."""
        counted = Counter(hit.phase for hit in self.hits)
        names = [*self.lengths, *sorted(counted.keys() - self.lengths.keys())]
        return {name: counted[name] for name in names}

    @property
    def under_way(self) -> dict[str, int]:
        """What was there at the moment of death -> how often."""
        return dict(sorted(Counter(word for hit in self.hits for word in hit.under_way).items()))

    @property
    def faults(self) -> list[str]:
        """Every fault, with the moment it came from."""
        return [f"{self.scenario.name}, {hit.moment}: {fault}" for hit in self.hits for fault in hit.faults]


def stopped(
    ground: Ground,
    scenario: Scenario,
    kills: int,
    changes: int,
    rng: random.Random,
    told: Callable[[Hit], object] = bool,
) -> Sitting:
    """Stop `scenario` `kills` times at random moments and before `changes` of its changes to the disk.

    `told` hears of every hit. A blow that comes too late is made up for by another one, but there are three times as
    many tries as hits at the most. There are no more deaths before changes than changes.
    """
    sitting = Sitting(scenario, undisturbed(ground, scenario).lengths)
    numbers = positions(ground.journal.read_text().splitlines(), changes, rng)
    waiting = [*_blows(scenario, sitting.lengths, kills, rng), *map(Fatal, numbers)]
    for _ in range(3 * len(waiting)):
        if not waiting:
            break
        blow = waiting.pop(0)
        hit = strike(ground, scenario, blow)
        if hit is None:
            sitting.missed += 1
            waiting += [_another(blow, sitting.lengths, rng)] if isinstance(blow, Stroke) else []
        else:
            sitting.hits.append(hit)
            told(hit)
    return sitting


def undisturbed(ground: Ground, scenario: Scenario) -> Ended:
    """Run the command of `scenario` to its end, and keep what it left as the reference. Raises `RuntimeError`.

    What it changed on the disk is in `ground.journal` afterwards.
    """
    ground.settle()
    ended, faults = _run(ground, scenario, None, armed=True)
    if ended.code != 0 or faults:
        raise RuntimeError(f"{scenario.name} fails undisturbed, with {ended.code}: {faults} {ended.err[-2000:]}")
    ground.keep(ended)
    return ended


def strike(ground: Ground, scenario: Scenario, blow: Blow) -> Hit | None:
    """One stop, judged. None where the command ended before the blow."""
    ended, faults = _run(ground, scenario, blow, armed=isinstance(blow, Fatal))
    faults += _own_failure(blow, ended)
    if _came_too_late(blow, ended) and not faults:
        return None
    under_way = traces(ground.place)
    before = "".join(ground.journal.read_text().splitlines()[-1:]) if isinstance(blow, Fatal) else ""
    return Hit(blow, ended, under_way, [*faults, *scenario.judge(ground, ended)], before)


def _run(ground: Ground, scenario: Scenario, blow: Blow | None, armed: bool) -> tuple[Ended, list[str]]:
    """How the command ended, and what was wrong with the one beside it."""
    scenario.prepare(ground)
    if scenario.beside is None:
        return ground.stop(*scenario.words(ground), blow=blow, armed=armed), []
    with ground.started(*scenario.beside(ground)) as other:
        ended = ground.stop(*scenario.words(ground), blow=blow, armed=armed)
        return ended, list(following.works(other.end(), "command beside"))


def _own_failure(blow: Blow, ended: Ended) -> list[str]:
    """What the command did wrong by itself: it failed, or had to be killed because it did not end.

    Where the blow is one that it may answer with words, Ctrl-C or a full disk, the judge looks at them.
    """
    if isinstance(blow, FullDisk) or (isinstance(blow, Stroke) and blow.signal == signal.SIGINT and ended.struck):
        return []
    deadly = -(blow.signal if isinstance(blow, Stroke) else signal.SIGKILL)
    before_the_blow = isinstance(blow, Stroke) and ended.struck is None
    if ended.code == 0 or (ended.code == deadly and not before_the_blow):
        return []
    return [f"it ended by itself with {ended.code}: {following.last(ended)}"]


def _came_too_late(blow: Blow, ended: Ended) -> bool:
    if isinstance(blow, FullDisk):
        return False
    # Ctrl-C may be swallowed, which is for the judge; a process that was killed cannot end well.
    survived = ended.code == 0 and not (isinstance(blow, Stroke) and blow.signal == signal.SIGINT)
    return survived or (isinstance(blow, Stroke) and ended.struck is None)


def _blows(scenario: Scenario, lengths: dict[str, float], count: int, rng: random.Random) -> list[Blow]:
    if scenario.how == "full disk":
        low, high = map(math.log, _SIZES)
        return [FullDisk(int(math.exp(low + share * (high - low)))) for share in spread(count, rng)]
    aimed = {phase: seconds for phase, seconds in lengths.items() if seconds >= _SHORT}
    return [Stroke(phase, after, _SIGNALS[scenario.how]) for phase, after in moments(aimed, count, rng)]


def _another(missed: Stroke, lengths: dict[str, float], rng: random.Random) -> Stroke:
    """A moment from the whole of the command: a phase that is over at once cannot be hit however often one tries."""
    (phase,) = rng.choices(list(lengths), list(lengths.values()))
    return replace(missed, phase=phase, after=rng.random() * lengths[phase])
