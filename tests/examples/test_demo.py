from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from examples import demo
from tests.conftest import ROOT
from tests.making import folder_of_photos


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "examples" / "demo.py"), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_it_goes_the_whole_way_and_a_second_time(tmp_path: Path) -> None:
    photos = folder_of_photos(tmp_path / "my photos", {"a": 10, "b": 10})
    for _ in range(2):
        done = run(photos, tmp_path / "out")
        assert done.returncode == 0, done.stderr
        typed = [line.split()[2] for line in done.stdout.splitlines() if line.startswith("$ finegraft")]
        assert typed == ["check", "train", "report", "predict"]
    report = (tmp_path / "out" / "run" / "report.html").resolve()
    assert report.is_file()
    assert f"Open the report in a browser: {report}" in done.stdout
    assert (tmp_path / "out" / "answers.html").is_file()


def test_it_ends_where_a_step_fails(tmp_path: Path) -> None:
    folder_of_photos(tmp_path / "photos", {"only": 4})
    done = run(tmp_path / "photos", tmp_path / "out")
    assert done.returncode == 1
    assert "$ finegraft report" not in done.stdout


def test_the_digits_become_photos_in_a_folder_each(tmp_path: Path) -> None:
    demo.write_digits(tmp_path)
    files = sorted(tmp_path.rglob("*.png"))
    assert len(files) == 1797
    assert sorted(folder.name for folder in tmp_path.iterdir()) == [str(digit) for digit in range(10)]
    with Image.open(files[0]) as photo:
        assert photo.size == (64, 64)
        assert photo.getextrema() == pytest.approx((0, 255), abs=40)  # dark ink on light paper
        assert photo.getpixel((0, 0)) == 255


def test_either_photos_or_digits(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        demo.main([str(tmp_path)])
    assert "give either a folder of photos or --digits" in capsys.readouterr().err
