"""The benchmark of a card, without one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import torch

from benchmarks import gpu
from benchmarks.fastai import environment

ROW = {"model": "resnet50", "ours": 1000.4, "compiled": 1200.0, "timm": 800.0, "share": 0.123}


def test_without_a_card_it_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu.main(["nowhere"]) == 0
    assert capsys.readouterr().out == "There is no CUDA card here: nothing was measured.\n"


def test_a_row_of_the_table_says_what_could_not_be_measured() -> None:
    assert gpu.line(ROW) == "| resnet50 | 1000 | 1200 | 800 | not installed | 1.25 | 0.12 |"
    assert gpu.line({**ROW, "fastai": 500.0}) == "| resnet50 | 1000 | 1200 | 800 | 500 | 1.25 | 0.12 |"


def test_the_ceiling_and_the_work_are_those_of_matrix_products() -> None:
    assert gpu.operations(torch.nn.Linear(30, 20), torch.zeros(4, 30)) == 3 * 2 * 30 * 20
    assert gpu.ceiling("cpu") > 1e6


def test_fastais_side_answers_from_a_process_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\nread count; echo "$count.5"\n')
    python.chmod(0o700)
    monkeypatch.setattr(environment, "python", lambda: python)
    theirs = gpu.Fastais("resnet50", tmp_path, 64, 8, "cpu")
    try:
        assert theirs.rate(7) == 7.5
        with pytest.raises((RuntimeError, BrokenPipeError)):
            theirs.rate(7)
    finally:
        theirs.close()


def test_an_environment_that_cannot_be_made_leaves_fastai_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails() -> Path:
        raise subprocess.CalledProcessError(1, "pip")

    monkeypatch.setattr(environment, "python", fails)
    assert not gpu._fastai_is_here()
    assert "fastai's environment could not be installed" in capsys.readouterr().err
