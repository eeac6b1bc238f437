from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.cli.running import finegraft


def test_a_table_of_the_runs_below_a_folder(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "deep" / "a run")
    rows = finegraft("runs", tmp_path, "--json").object["rows"]
    stored = json.loads((run / "run.json").read_text())
    assert [row["path"] for row in rows] == [f"{tmp_path}/deep/a run"]
    assert rows[0]["accuracy"] == stored["metrics"]["accuracy"]["value"]
    assert rows[0]["accuracy_interval"] == stored["metrics"]["accuracy"]["interval"]
    assert (rows[0]["n_train"], rows[0]["judged_on"], rows[0]["backbone"]) == (16, "held-out", "lite0")
    header, line = finegraft("runs", cwd=tmp_path).out.splitlines()
    assert header.startswith("run  ")
    assert line.startswith("deep/a run  ")
    assert line.index("lite0") == header.index("backbone")


def test_an_edited_run_is_left_out_with_a_word(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "good")
    (tmp_path / "edited").mkdir()
    (tmp_path / "edited" / "run.json").write_text('{"run_format": 1}')
    done = finegraft("runs", tmp_path, "--json")
    assert [row["path"] for row in done.object["rows"]] == [f"{tmp_path}/good"]
    assert done.err == f"{tmp_path}/edited is left out: its run.json was edited (KeyError('target')).\n"


def test_no_runs(tmp_path: Path) -> None:
    done = finegraft("runs", tmp_path)
    assert (done.code, done.out) == (
        0,
        f"There are no finished runs in {tmp_path}. Make one with: finegraft train PHOTOS -o RUN\n",
    )
    assert finegraft("runs", tmp_path, "--json").object == {"rows": []}
    gone = finegraft("runs", tmp_path / "nowhere")
    assert (gone.code, gone.error) == (
        1,
        f"Error: There is no folder {tmp_path}/nowhere. Give the folder that holds your runs.",
    )
