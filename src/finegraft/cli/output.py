"""How commands speak: results on stdout, progress on stderr, one JSON object when asked."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from finegraft.cli.printable import printable
from finegraft.data.balance import lopsided
from finegraft.errors import StorageError

if TYPE_CHECKING:
    from finegraft.evaluation.recalls import Recall
    from finegraft.evaluation.result import Evaluation

F = TypeVar("F", bound=Callable[..., Any])


def json_option(command: F) -> F:
    """The option `--json`, the same on every command."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else on stdout.")(
        command
    )


def print_json(value: object) -> None:
    """One JSON value on a line of its own."""
    click.echo(json.dumps(value, ensure_ascii=True, allow_nan=False))


def must_be_writable(path: Path) -> None:
    """Raise `StorageError` where it can be known before the work that `path` cannot be written after it."""
    if path.is_dir():
        raise StorageError(f"Cannot write {path}: it is a folder.", "Give the name of a file.")
    above = next(folder for folder in path.absolute().parents if os.path.lexists(folder))
    if not above.is_dir():
        raise StorageError(f"Cannot write {path}: {above} is no folder.", "Choose another place.")
    if not os.access(above, os.W_OK):
        raise StorageError(f"Cannot write {path}: you may not write to {above}.", "Choose another place.")


class Counter:
    """A line on stderr that counts: `photos checked 1,200 of 3,783`. Silent where stderr is no terminal."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._shown = 0.0

    def __call__(self, done: int, total: int) -> None:
        """Redraw, ten times a second at the most, and at the end."""
        now = time.perf_counter()
        if sys.stderr.isatty() and (now - self._shown > 0.1 or done == total):
            self._shown = now
            end = "\r\x1b[2K" if done == total else ""
            sys.stderr.write(f"\r{self._what} {done:,} of {total:,}{end}")
            sys.stderr.flush()


class Stopwatch:
    """Seconds of each named stage, in order, and in all."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the block under `name`, and say on stderr that it began."""
        click.echo(f"{name} …", err=True)
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begun

    @property
    def passed(self) -> float:
        """Seconds since it was made."""
        return time.perf_counter() - self._started

    def table(self) -> dict[str, float]:
        """Stages and `total`, in seconds to the hundredth."""
        return {name: round(value, 2) for name, value in {**self.seconds, "total": self.passed}.items()}


def percent(share: float) -> str:
    """`0.934` as `93.4 %`."""
    return f"{100 * share:.1f} %"


def headline(evaluation: Evaluation, part: str) -> list[str]:
    """What a person reads first: the leading figure with its interval, the other figures, the confused pairs.

    Accuracy leads, unless one class has four times the judged records of another or more: then it tells little of the
    rare classes, and macro recall leads.
    """
    unbalanced = lopsided(evaluation.per_class().support.tolist())
    leading = _macro_first(evaluation, part) if unbalanced else [_accuracy_first(evaluation, part)]
    told = {"accuracy", "error_rate", "macro_recall", "macro_f1" if unbalanced else ""}
    figures = ", ".join(
        f"{name.replace('_', ' ')} {metric.value:.3f}"
        for name, metric in evaluation.metrics().items()
        if name not in told
    )
    lines = [*leading, f"Also: {figures}."]
    pairs = evaluation.most_confused(min_val=2)[:3]
    if pairs:
        said = "; ".join(f"{a} taken for {b} ({n} times)" for a, b, n in pairs)
        lines.append(printable(f"Most confused: {said}."))
    return lines


def _accuracy_first(evaluation: Evaluation, part: str) -> str:
    accuracy = evaluation.accuracy
    return (
        f"{percent(accuracy.value)} right ({between(accuracy.interval)}, 95 % interval) "
        f"on {len(evaluation):,} photos of the {part} part."
    )


def _macro_first(evaluation: Evaluation, part: str) -> list[str]:
    """Macro recall and F1, the weakest class, and accuracy with the reason why it comes second."""
    from finegraft.evaluation.recalls import rarest, weakest  # heavy: what only speaks does not wait for it

    recall, f1, accuracy = (evaluation.metrics()[name] for name in ("macro_recall", "macro_f1", "accuracy"))
    weak, rare = weakest(evaluation), rarest(evaluation)
    rarest_too = "" if rare == weak else f" Rarest: {_found(rare)}."
    return [
        f"{percent(recall.value)} found, averaged over the classes ({between(recall.interval)}, 95 % interval; macro "
        f"recall), on {len(evaluation):,} photos of the {part} part.",
        f"Macro F1: {f1}.",
        printable(f"Weakest class: {_found(weak)}.{rarest_too}"),
        printable(
            f"{percent(accuracy.value)} right in all ({between(accuracy.interval)}). This comes second because rare "
            f"classes hardly count in it: {rare.label} is {rare.judged:,} of the {len(evaluation):,}."
        ),
    ]


def _found(recall: Recall) -> str:
    return f"{recall.label}, {recall.found:,} of {recall.judged:,} found ({between(recall.interval)})"


def between(interval: tuple[float, float] | None) -> str:
    """The ends of an interval of a share; 0 to 100 % where there is none."""
    low, high = interval or (0.0, 1.0)
    return f"{percent(low)} to {percent(high)}"
