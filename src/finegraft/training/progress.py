"""The live table: one row an epoch, and below it a bar with the time still to go. All of it on stderr."""

from __future__ import annotations

import sys
import time

from finegraft.training.callbacks import State

_COLUMNS = "{:>6}  {:>10}  {:>15}  {:>{width}}  {:>7}\n"
_BAR = 24


class LiveTable:
    """Prints a row after every epoch; on a terminal, a bar with the remaining time while it runs."""

    def __init__(self, watched: str, measure: str = "error_rate") -> None:
        self._watched = watched
        self._measure = measure.replace("_", " ")
        self._width = max(10, len(self._measure))
        self._started = 0.0
        self._done = 0
        self._drawn = 0.0
        self._stream = sys.stderr

    def on_fit_start(self, state: State) -> None:  # noqa: ARG002
        """Print the header."""
        self._started = time.perf_counter()
        self._write(
            _COLUMNS.format("epoch", "train loss", f"{self._watched} loss", self._measure, "time", width=self._width)
        )

    def on_batch_end(self, state: State) -> None:
        """Redraw the bar, at most ten times a second."""
        self._done += 1
        now = time.perf_counter()
        if self._stream.isatty() and now - self._drawn > 0.1:
            self._drawn = now
            share = self._done / (state.epochs * state.batches)
            left = (now - self._started) * (1 - share) / share
            bar = "━" * round(share * _BAR)
            self._write(f"\r  {bar:<{_BAR}}  {share:4.0%}  {left:.0f} s left ")

    def on_epoch_end(self, state: State) -> None:
        """Print the row."""
        row = state.row
        if row is None:
            return
        clear = "\r\x1b[2K" if self._stream.isatty() else ""
        valid = "–" if row.valid_loss is None else _short(row.valid_loss)
        error = "–" if row.error_rate is None else _short(row.error_rate)
        line = _COLUMNS.format(
            row.epoch, _short(row.train_loss), valid, error, f"{row.seconds:.1f}s", width=self._width
        )
        self._write(clear + line)

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def _short(value: float) -> str:
    return f"{value:.4f}" if abs(value) < 1e5 else f"{value:.4g}"
