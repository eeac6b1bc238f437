from __future__ import annotations

import io
import re

import pytest
from torch import nn

from finegraft.training.callbacks import EpochRow, State
from finegraft.training.progress import LiveTable
from tests.training.making import learner


def test_a_fit_prints_header_and_rows_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    shown = learner(head="linear")
    shown._show = True
    shown.fit_one_cycle(2, lr=0.1)
    out, err = capsys.readouterr()
    assert out == ""
    header, *rows = err.splitlines()
    assert re.split(r"\s{2,}", header.strip()) == ["epoch", "train loss", "held-out loss", "error rate", "time"]
    assert len(rows) == 2
    for number, (line, row) in enumerate(zip(rows, shown.history.rows, strict=True), start=1):
        assert line.split()[:4] == [
            str(number),
            f"{row.train_loss:.4f}",
            f"{row.valid_loss:.4f}",
            f"{row.error_rate:.4f}",
        ]
        assert re.fullmatch(r"\d+\.\ds", line.split()[4])
        assert len(line) == len(header), "columns stand below their names"


def test_show_off_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    learner(head="linear").fit_one_cycle(1, lr=0.1)
    assert capsys.readouterr() == ("", "")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_bar_with_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    shown, state = LiveTable("validation"), State(nn.Identity(), epochs=2, batches=2)
    shown.on_fit_start(state)
    shown.on_batch_end(state)
    assert re.search(r"\r  ━{6} {18}   25%  \d+ s left $", screen.getvalue())
    shown.on_epoch_end(state)  # no row yet: nothing is printed
    state.row = EpochRow(1, 0.5, None, None, 1.0)
    shown.on_epoch_end(state)
    last = screen.getvalue().split("\r")[-1]
    assert last.startswith("\x1b[2K"), "the row wipes the bar away"
    assert last.removeprefix("\x1b[2K").split() == ["1", "0.5000", "–", "–", "1.0s"]
