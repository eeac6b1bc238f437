from __future__ import annotations

import shutil
from pathlib import Path

from tests.cli.running import finegraft


def test_the_report_is_rebuilt_in_its_place_or_elsewhere(run: Path, tmp_path: Path) -> None:
    mine = Path(shutil.copytree(run, tmp_path / "run"))
    (mine / "report.html").unlink()
    done = finegraft("report", mine, "--json")
    assert (done.code, done.object) == (0, {"path": f"{mine}/report.html"})
    elsewhere = finegraft("report", mine, "-o", tmp_path / "new" / "page.html")
    assert (elsewhere.code, elsewhere.out) == (0, f"{tmp_path}/new/page.html\n")
    assert (tmp_path / "new" / "page.html").read_bytes() == (mine / "report.html").read_bytes()


def test_what_is_no_run(photos: Path, run: Path, tmp_path: Path) -> None:
    done = finegraft("report", photos)
    assert (done.code, done.error) == (
        1,
        f"Error: {photos} is not a run: it has no run.json. Give the folder that `train -o` made.",
    )
    (tmp_path / "file").touch()
    done = finegraft("report", run, "-o", tmp_path / "file" / "page.html")
    assert done.error.startswith(f"Error: Cannot write {tmp_path}/file/page.html: ")
