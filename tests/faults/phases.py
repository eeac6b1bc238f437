"""Which phase a command is in, by what it has said so far."""

from __future__ import annotations

import re
from dataclasses import dataclass

STARTING, WORKING, ENDING = "starting", "working, nothing said yet", "ending"
_STAGE = re.compile(r"(\S.*?) …")
_COUNT = re.compile(r"(\S.*?) ([\d,]+ of [\d,]+)")
_ERASED = re.compile(r"\x1b\[2K")


@dataclass(frozen=True)
class Phase:
    """The phase's name, and how far it was where the command counts: "32 of 40", else ""."""

    name: str
    progress: str = ""


def phases(err: str, out: str = "") -> list[Phase]:
    """The phases of a command that has said `err` on stderr, a terminal, and `out` on stdout; the last one is now.

    "starting" before the first word, then the stages it named (`features …`), or what is counted where no stage was
    named (`checked 32 of 40`), and "ending" once the results are out.
    """
    found = [Phase(STARTING)]
    staged = False
    for piece in re.split(r"[\r\n]+", _ERASED.sub("", err)):
        if named := _STAGE.fullmatch(piece):
            found.append(Phase(named[1]))
            staged = True
        elif counted := _COUNT.fullmatch(piece):
            now = Phase(found[-1].name if staged else counted[1], counted[2])
            found = [*found[:-1], now] if found[-1].name == now.name else [*found, now]
    return [*found, Phase(ENDING)] if out else found
