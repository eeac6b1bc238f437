"""100,000 different photos, made on the spot: memory, time, and a second check."""

from __future__ import annotations

from pathlib import Path

from benchmarks.planting import made
from benchmarks.promise import CannotMeasureError, Measured, Promise, at_most
from benchmarks.watch import Watched
from benchmarks.workshop import Workshop, beside, json_of

SIZES = (1_000, 10_000, 100_000)
READ = "python -m benchmarks.many_files PHOTOS"


def _photos(workshop: Workshop, count: int) -> Path:
    def make() -> Path:
        folder = workshop.empty(f"many-{count}")
        made(folder, count)
        return folder

    return workshop.once(f"many-{count}", make)


def _read(workshop: Workshop, count: int) -> Watched:
    """Checked and split from an empty cache."""
    folder = _photos(workshop, count)

    def read() -> Watched:
        workshop.empty("many-cache")
        return workshop.python("benchmarks.many_files", folder, cache="many-cache")

    return workshop.once(f"many-read-{count}", read)


def _memory(workshop: Workshop) -> Measured:
    peaks = [(_read(workshop, count).peak or 0) for count in (SIZES[0], SIZES[-1])]
    if not all(peaks):
        raise CannotMeasureError("memory of a process tree is read from /proc, which is not here")
    each = (peaks[1] - peaks[0]) / (SIZES[-1] - SIZES[0])
    words = f"{each:.0f} bytes: peak {peaks[0] / 1e6:.0f} MB with {SIZES[0]:,} photos, {peaks[1] / 1e6:.0f} MB with "
    return Measured(each, f"{words}{SIZES[-1]:,}", {"peaks": peaks})


def _time(workshop: Workshop) -> Measured:
    runs = {count: _read(workshop, count) for count in SIZES}
    seconds = {count: json_of(run)["check"] + json_of(run)["split"] for count, run in runs.items()}
    growth = seconds[SIZES[2]] / seconds[SIZES[1]]
    each = ", ".join(f"{count:,}: {s:.1f} s ({1e3 * s / count:.2f} ms each)" for count, s in seconds.items())
    kept: dict[str, object] = {str(count): value for count, value in seconds.items()}
    findings = json_of(runs[SIZES[2]])["findings"]
    return Measured(growth, f"{growth:.1f} times; {each}; {findings} findings{beside(runs[SIZES[2]])}", kept)


def _again(workshop: Workshop) -> Measured:
    folder = _photos(workshop, SIZES[-1])
    workshop.empty("many-again")
    first, second = (workshop.cli("check", folder, "--json", cache="many-again", memory=False) for _ in range(2))
    share = second.seconds / first.seconds
    words = f"{share:.3f}: {first.seconds:.1f} s, then {second.seconds:.1f} s, whole processes{beside(second)}"
    same = json_of(first) == json_of(second)
    return Measured(share if same else 1.0, words if same else f"other findings the second time; {words}")


ROWS = [
    Promise(
        "dirt-3-memory",
        "100,000 different photos checked and split: memory per record after start-up",
        at_most(1000, "bytes"),
        READ,
        _memory,
    ),
    Promise("dirt-3-time", "the same, time against that of 10,000", at_most(12, "times"), READ, _time),
    Promise(
        "dirt-3-again",
        "the same, a second check of the unchanged folder as a share of the first",
        at_most(0.05),
        "finegraft check PHOTOS (twice)",
        _again,
    ),
]
