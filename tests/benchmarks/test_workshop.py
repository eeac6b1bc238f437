from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from benchmarks import watch, workshop
from benchmarks.promise import CannotMeasureError
from benchmarks.workshop import Workshop


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    program = tmp_path / "finegraft"
    program.write_text(
        "#!/bin/sh\n"
        """printf '{"said": "%s", "cache": "%s", "omp": "%s"}' "$*" "$FINEGRAFT_CACHE" "$OMP_NUM_THREADS"\n"""
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return Workshop(tmp_path, tmp_path / "data", program)


def test_the_command_runs_with_a_cache_of_its_own(shop: Workshop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("FINEGRAFT_CACHE", "/elsewhere")
    said = workshop.json_of(shop.cli("check", "DATA", cache="mine", memory=False))
    assert said == {"said": "check DATA", "cache": str(shop.scratch / "mine"), "omp": ""}


def test_absent_data_and_an_absent_command_cannot_be_measured(shop: Workshop, tmp_path: Path):
    with pytest.raises(CannotMeasureError, match="clothing is not here"):
        shop.data("clothing")
    with pytest.raises(CannotMeasureError, match="is not installed"):
        Workshop(tmp_path, tmp_path, tmp_path / "absent").cli("check")


def test_once_measures_once_and_fails_for_everyone(shop: Workshop):
    calls = []

    def measure() -> int:
        calls.append(1)
        return 7

    def broken() -> int:
        calls.append(1)
        raise watch.CommandFailedError("no")

    assert shop.once("a", measure) == shop.once("a", measure) == 7
    for _ in range(2):
        with pytest.raises(watch.CommandFailedError, match="no"):
            shop.once("b", broken)
    assert len(calls) == 2


@pytest.mark.parametrize(("stdout", "said"), [("done\n", "is not one JSON object: 'done"), ("[1]", "a JSON list")])
def test_stdout_must_be_one_json_object(stdout: str, said: str):
    with pytest.raises(watch.CommandFailedError, match=said):
        workshop.json_of(watch.Watched(("x",), 1.0, 0, None, stdout, ""))


def test_json_lines_are_rows():
    done = watch.Watched(("x",), 1.0, 0, None, json.dumps({"a": 1}) + "\n" + json.dumps({"a": 2}) + "\n", "")
    assert workshop.rows_of(done) == [{"a": 1}, {"a": 2}]


def test_a_busy_machine_is_remarked():
    assert workshop.beside(watch.Watched(("x",), 1.0, 0, None, "", "", 0.05)) == ""
    assert "40% of the processors" in workshop.beside(watch.Watched(("x",), 1.0, 0, None, "", "", 0.4))
