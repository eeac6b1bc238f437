from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from finegraft.cli.eval import read_map
from finegraft.errors import DataError
from tests.cli.running import finegraft
from tests.making import folder_of_photos


def test_json_holds_what_training_says_of_the_result(run: Path, photos: Path) -> None:
    done = finegraft("eval", run, photos, "--json")
    said = done.object
    assert {"metrics", "accuracy", "accuracy_interval", "error_rate", "macro_f1", "ece"} <= set(said)
    assert (said["n_judged"], said["judged_on"], said["classes"]) == (20, "given", ["rose", "tulip"])
    assert (said["backbone"], said["findings"]) == ("lite0", {})
    assert said["accuracy"] >= 0.9
    assert "% right (" in finegraft("eval", run / "model.fg", photos).out


def test_of_given_splits_the_test_part_is_judged(run: Path, tmp_path: Path) -> None:
    data = folder_of_photos(tmp_path, {"train/rose": 4, "train/tulip": 4, "test/rose": 3, "test/tulip": 2})
    done = finegraft("eval", run, data, "--json")
    assert (done.object["judged_on"], done.object["n_judged"]) == ("test", 5)
    assert done.err == "The folder has given splits: only its test part is judged.\n"


def test_a_file_that_is_no_photo_is_a_finding(run: Path, photos: Path, tmp_path: Path) -> None:
    data = Path(shutil.copytree(photos, tmp_path / "data"))
    (data / "rose" / "notes.txt").write_text("no photo")
    said = finegraft("eval", run, data, "--json").object
    assert (said["n_judged"], said["findings"]) == (20, {"not-a-photo": 1})


def test_unknown_classes_are_said_with_the_nearest_and_the_way_out(run: Path, tmp_path: Path) -> None:
    data = folder_of_photos(tmp_path, {"Roses": 2, "tulip": 2})
    done = finegraft("eval", run, data)
    assert (done.code, done.error) == (
        1,
        "Error: The model cannot answer these classes of the data: Roses. Did you mean 'rose'? "
        "With --map a file says which classes mean the same.",
    )


def test_a_map_joins_classes_of_the_model(run: Path, photos: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(photos / "rose", data / "thorny")
    shutil.copytree(photos / "tulip", data / "smooth")
    table = tmp_path / "map.csv"
    table.write_text("model,mine\nrose,thorny\ntulip,smooth\n")
    said = finegraft("eval", run, data, "--map", table, "--json").object
    assert said["classes"] == ["smooth", "thorny"]
    assert said["accuracy"] == finegraft("eval", run, photos, "--json").object["accuracy"]
    table.write_text("rose,flower\ntulip,flower\n")
    assert (
        "cannot answer these classes of the data: smooth, thorny." in finegraft("eval", run, data, "--map", table).error
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", r"The map .* has no rows\. Write: class of the model, your class"),
        (b"rsoe,mine\n", r"Row 1 of .*: the model has no class 'rsoe'\. Did you mean 'rose'\?"),
        (b"rsoe,mine\ntulip,mine\n", r"Row 1 of .*: the model has no class 'rsoe'\. Did you mean 'rose'\?"),
        (b"model,mine\nrose,a\noak,b\n", r"Row 3 of .*: the model has no class 'oak'\. It has: rose, tulip\."),
        (b"rose,a\ntulip\n", r"Row 2 of .* needs two cells, got \['tulip'\]\. Write: class of the model, your"),
        (b"\xff\xfe", r"Cannot read the map .*: it is no UTF-8 text\. Give a CSV file\."),
    ],
)
def test_a_bad_map_is_named_by_its_row(tmp_path: Path, text: bytes, said: str) -> None:
    (tmp_path / "map.csv").write_bytes(text)
    with pytest.raises(DataError, match=said):
        read_map(tmp_path / "map.csv", ("rose", "tulip"))


def test_a_map_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Cannot read the map .*: No such file or directory\."):
        read_map(tmp_path / "map.csv", ("rose",))
