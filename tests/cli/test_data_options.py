"""Tables, lists and archives as DATA, and the options that say how these are read, over every command."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from finegraft.cli.data_options import DataOptions
from finegraft.evaluation.run import Run
from tests.cli.running import FAST, finegraft
from tests.data.packing import zipped
from tests.making import folder_of_photos

COLUMNS = ("file", "flower", "plant", "height", "looks", "big", "wild", "is_valid")


@pytest.fixture(scope="module")
def garden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty photos in one folder, and a table of what is on them."""
    root = tmp_path_factory.mktemp("garden")
    rows: list[Sequence[object]] = []
    for flower in ("rose", "tulip"):
        folder_of_photos(root / "sorted", {flower: 10})
        for i, photo in enumerate(sorted((root / "sorted" / flower).iterdir())):
            (root / "photos").mkdir(exist_ok=True)
            shutil.copy(photo, root / "photos" / f"{flower[0]}{i}.jpg")
            looks = "red|tall" if i % 2 else "tall"
            rows.append((f"photos/{flower[0]}{i}.jpg", flower, f"p{i // 2}", i + 0.5, looks, i % 2, i % 3 == 0, i < 3))
    with (root / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    (root / "list.txt").write_text("".join(f"{row[0]} {row[1]}\n" for row in rows))
    return root


def test_check_finds_the_columns_and_says_so(garden: Path) -> None:
    done = finegraft("check", "list.txt", "--json", cwd=garden)
    assert done.object["classes"] == {"rose": 10, "tulip": 10}
    assert done.err == "list.txt (UTF-8, space): paths from 'column 1', labels from 'column 2', 2 classes.\n"
    named = finegraft("check", "labels.csv", "--target", "flower", "--split-column", "is_valid", cwd=garden)
    assert named.code == 0
    assert named.err == "labels.csv (UTF-8, comma): paths from 'file', labels from 'flower', 2 classes.\n"
    assert named.out.startswith("20 photos of 2 classes can be used, 0 files are left out.\n\n  rose   ")


def test_check_of_tags_and_numbers(garden: Path) -> None:
    tags = finegraft("check", "labels.csv", "--target", "looks", "--json", cwd=garden).object
    assert (tags["records"], tags["classes"]) == (20, {"red": 10, "tall": 20})
    said = finegraft("check", "labels.csv", "--target", "big,wild", cwd=garden).out.splitlines()
    assert said[0] == "20 photos with 2 tags, several to a photo, can be used, 0 files are left out."
    assert [line.split() for line in said[2:4]] == [["big", "10"], ["wild", "8"]]
    numbers = finegraft("check", "labels.csv", "--target", "height", "--json", cwd=garden).object
    assert (numbers["records"], numbers["classes"]) == (20, {})
    said = finegraft("check", "labels.csv", "--target", "height", cwd=garden).out.splitlines()
    assert said[0] == "20 photos labelled with numbers can be used, 0 files are left out."
    assert said[2] == "  from 0.5 to 9.5, in the middle 5"


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (
            [],
            2,
            "Several columns of labels.csv may be the label: flower, plant, height, looks, big, wild, is_valid. Say w",
        ),
        (
            ["--target", "flwer"],
            2,
            "The table has no column 'flwer'. Did you mean 'flower'? It has: file, flower, plant",
        ),
        (
            ["--target", "flower", "--split-column", "plant"],
            1,
            "The column 'plant' names parts that are not known: p0, p1",
        ),
        (["--target", "flower", "--group", "("], 2, "The group '(' is no regular expression (missing ), unterminated"),
        (
            ["--target", "flower", "--group", "plnt"],
            2,
            "No column is called so (file, flower, plant, height, looks, big",
        ),
        (
            ["--columns", "a,b"],
            2,
            "2 columns are named (a, b), but the first row of labels.csv has 8 cells. Name every",
        ),
        (["--target", "flower", "--test", "none"], 1, "There is no file or folder none. Check the path."),
    ],
)
def test_wrong_options_are_answered_with_what_there_is(garden: Path, options: list[str], code: int, said: str) -> None:
    done = finegraft("check", "labels.csv", *options, cwd=garden)
    assert (done.code, done.out) == (code, "")
    assert done.error.startswith(f"Error: {said}")


def test_options_of_a_table_need_one(garden: Path) -> None:
    done = finegraft("check", "sorted", "--target", "flower", cwd=garden)
    assert (done.code, done.error) == (
        2,
        "Error: At the top of sorted there is no table with the columns asked for (flower). Give the table itself as "
        "DATA, or leave these options out.",
    )


@pytest.fixture(scope="module")
def trained(garden: Path, surroundings: Path) -> Path:
    """A run on the table, with groups and given splits."""
    options = ("--target", "flower", "--group", "plant", "--split-column", "is_valid")
    done = finegraft("train", "labels.csv", "-o", "run", *options, *FAST, "--json", cwd=garden)
    assert (done.code, done.object["judged_on"], done.object["n_judged"]) == (0, "validation", 6), done.err
    return garden / "run"


def test_a_run_on_a_table_remembers_where_its_photos_are(trained: Path, garden: Path) -> None:
    stored = Run.open(trained).settings
    assert stored["data"] == str(garden / "labels.csv")
    assert stored["root"] == str(garden)
    assert stored["source"] == {
        "target": "flower",
        "path": None,
        "columns": None,
        "group": "plant",
        "split_column": "is_valid",
        "test": None,
    }
    data = Run.open(trained).dataset()
    assert data.root == garden
    assert all((data.root / record.key).is_file() for record in data.records)
    assert (trained / "report.html").read_text(encoding="utf-8").count("<image ") == 6


def test_eval_reads_tables_and_lists(trained: Path, garden: Path) -> None:
    said = finegraft("eval", trained, garden / "list.txt", "--json").object
    assert (said["n_judged"], said["learned_from"]) == (6, 14)
    part = ("--target", "flower", "--split-column", "is_valid")
    done = finegraft("eval", trained, garden / "labels.csv", *part, "--json")
    assert (done.object["n_judged"], done.object["judged_on"]) == (6, "validation")
    assert "The data has given splits: only its validation part is judged.\n" in done.err


def test_labels_of_another_kind_than_the_answers_are_refused(garden: Path, trained: Path) -> None:
    for target, what in (("looks", "several tags per photo"), ("height", "numbers")):
        done = finegraft("eval", trained, garden / "labels.csv", "--target", target)
        assert (done.code, done.out) == (1, "")
        assert done.error == (
            f"Error: The model answers with one class per photo, but the data holds {what}. Name the right columns "
            "with --target."
        )


def test_a_zip_is_learned_from_and_predicted(garden: Path, tmp_path: Path, empty_cache: Path) -> None:
    shutil.make_archive(str(tmp_path / "set"), "zip", garden / "sorted")
    done = finegraft("train", tmp_path / "set.zip", "-o", tmp_path / "run", *FAST, "--json")
    assert (done.code, done.object["classes"]) == (0, ["rose", "tulip"])
    stored = Run.open(tmp_path / "run").settings
    assert stored["data"] == str(tmp_path / "set.zip")
    assert Path(stored["root"]).is_relative_to(empty_cache / "archives")
    rows = finegraft("predict", tmp_path / "run", tmp_path / "set.zip", "--json").rows
    assert [row["path"] for row in rows] == [
        f"{tmp_path}/set.zip/{flower}/{i:04d}.jpg" for flower in ("rose", "tulip") for i in range(10)
    ]
    assert sum(row["label"] == Path(row["path"]).parent.name for row in rows) >= 18
    seen = finegraft("cache", "--json").object["archives"]
    assert (seen["path"], seen["entries"]) == (str(empty_cache / "archives"), 1)
    assert f"{empty_cache}/archives: 1 unpacked archives, " in finegraft("cache").out
    assert finegraft("cache", "clear", "--json").object["archives"]["bytes"] == 0
    assert not Path(stored["root"]).exists()
    assert finegraft("report", tmp_path / "run").code == 0
    assert "<image " not in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert finegraft("eval", tmp_path / "run", tmp_path / "set.zip", "--json").object["n_judged"] == 4
    assert finegraft("report", tmp_path / "run").code == 0
    assert "<image " in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")


def test_another_folder_as_the_test_part(garden: Path, tmp_path: Path) -> None:
    test = folder_of_photos(tmp_path / "later", {"rose": 4, "tulip": 4}, seed=9)
    done = finegraft("train", garden / "sorted", "--test", test, "-o", tmp_path / "run", *FAST, "--json")
    assert (done.object["judged_on"], done.object["n_judged"], done.object["n_train"]) == ("test", 8, 20)
    stored = Run.open(tmp_path / "run").settings
    assert stored["source"]["test"] == str(test)
    assert (tmp_path / "run" / "report.html").read_text(encoding="utf-8").count("<image ") == 8


def test_predict_answers_the_rows_of_a_table(trained: Path, garden: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(f"n,photo\n1,{garden}/photos/t0.jpg\n2,\n3,none.jpg\n4,{garden}/photos/r0.jpg\n")
    done = finegraft("predict", trained, tmp_path / "t.csv", "--path", "photo", "--json", "--html", tmp_path / "p.html")
    assert [row["path"] for row in done.rows] == [
        f"{garden}/photos/t0.jpg",
        f"{tmp_path}/t.csv, row 3",
        f"{tmp_path}/none.jpg",
        f"{garden}/photos/r0.jpg",
    ]
    assert done.rows[1]["error"] == {"code": "unreadable", "message": "Row 3 names no file."}
    assert done.rows[2]["error"]["message"] == "There is no such file. Check the path."
    assert (tmp_path / "p.html").read_text(encoding="utf-8").count("<img") == 2
    lines = finegraft("predict", trained, "list.txt", cwd=garden).out.splitlines()
    assert [line.split()[0] for line in lines][:2] == ["photos/r0.jpg", "photos/r1.jpg"]
    wrong = finegraft("predict", trained, "photos", "--path", "file", cwd=garden)
    assert (wrong.code, wrong.error.startswith("Error: --path file names a column, but no PATH is a table.")) == (
        2,
        True,
    )
    stdin = finegraft("predict", trained, "-", "--path", "file")
    assert (stdin.code, stdin.error.startswith("Error: - means a list on stdin and stands alone.")) == (2, True)


def test_predict_names_what_an_archive_refused(trained: Path, garden: Path, tmp_path: Path, empty_cache: Path) -> None:
    photo = (garden / "photos" / "t0.jpg").read_bytes()
    path = zipped(tmp_path / "a.zip", {"t.jpg": photo, "../evil\n.jpg": photo})
    done = finegraft("predict", trained, path, "--json", "--sort-into", tmp_path / "sorted")
    assert [(row["path"], row.get("error", {}).get("code")) for row in done.rows] == [
        (f"{path}/t.jpg", None),
        (f"{path}/../evil\n.jpg", "unreadable"),
    ]
    assert [p.name for p in (tmp_path / "sorted").rglob("*.jpg")] == ["t.jpg"]
    text = finegraft("predict", trained, path).out.splitlines()
    assert len(text) == 2
    assert r"../evil\n.jpg" in text[1]


def test_options_are_taken_out_of_all_that_was_given(tmp_path: Path) -> None:
    given: dict[str, Any] = {"target": "a", "columns": ("x",), "test": "t", "seed": 1, "path": None}
    options = DataOptions.taken_from(given)
    assert given == {"seed": 1}
    assert options == DataOptions(target="a", columns=("x",), test="t")
    assert options.to_json()["test"] == str(Path("t").resolve())


@pytest.mark.parametrize("words", [("check", ""), ("train", "", "-o", "run")])
def test_an_empty_name_is_not_the_current_folder(garden: Path, words: Sequence[str]) -> None:
    done = finegraft(*words, cwd=garden / "sorted")
    assert (done.code, done.out) == (2, "")
    assert done.error == ("Error: DATA is empty. Name a folder, a table or an archive; the current folder is a dot.")
