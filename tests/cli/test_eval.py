from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from finegraft.cli.eval import read_map
from finegraft.errors import DataError
from finegraft.evaluation.run import Run
from tests.cli.running import FAST, finegraft
from tests.making import folder_of_photos


@pytest.fixture(scope="module")
def unseen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos of the classes of `run` that it has not learned from."""
    return folder_of_photos(tmp_path_factory.mktemp("unseen"), {"rose": 10, "tulip": 10}, seed=7)


def test_json_holds_what_training_says_of_the_result(run: Path, unseen: Path) -> None:
    done = finegraft("eval", run, unseen, "--json")
    said = done.object
    assert {"metrics", "accuracy", "accuracy_interval", "error_rate", "macro_f1", "ece"} <= set(said)
    assert (said["n_judged"], said["judged_on"], said["classes"]) == (20, "given", ["rose", "tulip"])
    assert (said["backbone"], said["findings"]) == ("lite0", {})
    assert (said["learned_from"], said["unreadable"], done.err) == (0, [], "")
    assert said["accuracy"] >= 0.9
    assert "% right (" in finegraft("eval", run / "model.fg", unseen).out


@pytest.mark.parametrize("model", [".", "model.fg"])
def test_photos_that_were_learned_from_are_left_out(run: Path, photos: Path, unseen: Path, model: str) -> None:
    done = finegraft("eval", run / model, photos, "--json")
    stored = json.loads((run / "run.json").read_text())
    assert (done.object["learned_from"], done.object["n_judged"]) == (16, 4)
    assert done.object["accuracy"] == pytest.approx(stored["metrics"]["accuracy"]["value"])
    assert done.err == "Left out, because the model learned from them: 16 photos.\n"


def test_photos_are_known_by_content_and_none_left_is_an_error(run: Path, photos: Path, tmp_path: Path) -> None:
    learned = [record.key for record in Run.open(run).dataset().part("train")]
    for i, key in enumerate(learned):
        copy = tmp_path / "data" / key.split("/")[0] / f"renamed {i}.jpg"
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(photos / key, copy)
    done = finegraft("eval", run, tmp_path / "data")
    assert (done.code, done.error) == (
        1,
        f"Error: All 16 photos of {tmp_path}/data were learned from. Give photos the model has not seen.",
    )


def test_the_parts_that_chose_are_left_out_and_those_that_judged_are_not(tmp_path: Path) -> None:
    parts = {"train": 6, "val": 3, "test": 2}
    data = folder_of_photos(tmp_path / "data", {f"{p}/{c}": n for p, n in parts.items() for c in ("rose", "tulip")})
    assert finegraft("train", data, "-o", tmp_path / "run", *FAST).code == 0
    scored = finegraft("eval", tmp_path / "run", data, "--json").object
    assert (scored["judged_on"], scored["learned_from"], scored["n_judged"]) == ("test", 0, 4)
    for part, learned in [("train", True), ("val", True), ("test", False)]:
        done = finegraft("eval", tmp_path / "run", data / part)
        assert (done.code, "were learned from" in done.err) == (int(learned), learned)


def test_a_lone_bundle_cannot_tell_what_it_learned_from(run: Path, photos: Path, tmp_path: Path) -> None:
    for place in (tmp_path / "model.fg", run / "other.fg"):
        shutil.copy(run / "model.fg", place)
        done = finegraft("eval", place, photos, "--json")
        place.unlink()
        assert (done.object["learned_from"], done.object["n_judged"]) == (None, 20)
        assert done.err == "Whether it learned from some of these photos cannot be checked: only its run knows.\n"


def test_photos_that_went_bad_since_they_were_checked_are_listed(run: Path, unseen: Path) -> None:
    """The check has the last word of the store; the photo is cut only after it."""
    cut = """
import sys
from pathlib import Path
from finegraft.vision import sources
original = sources.read
def read(*given, **named):
    found = original(*given, **named)
    path = Path(sys.argv[1]) / "tulip" / "0003.jpg"
    path.write_bytes(path.read_bytes()[:-400])
    return found
sources.read = read
from finegraft.cli.main import main
main(sys.argv[2:])
"""
    data = Path(shutil.copytree(unseen, unseen.parent / f"{unseen.name}-cut"))
    command = [sys.executable, "-c", cut, data, "eval", run, data, "--json"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120, check=False)
    said = json.loads(done.stdout)
    assert (said["unreadable"], said["n_judged"]) == (["tulip/0003.jpg"], 19)
    assert done.stderr.startswith("tulip/0003.jpg: ")


def test_of_given_splits_the_test_part_is_judged(run: Path, tmp_path: Path) -> None:
    data = folder_of_photos(tmp_path, {"train/rose": 4, "train/tulip": 4, "test/rose": 3, "test/tulip": 2}, seed=7)
    done = finegraft("eval", run, data, "--json")
    assert (done.object["judged_on"], done.object["n_judged"]) == ("test", 5)
    assert done.err == "The data has given splits: only its test part is judged.\n"


def test_a_file_that_is_no_photo_is_a_finding(run: Path, unseen: Path, tmp_path: Path) -> None:
    data = Path(shutil.copytree(unseen, tmp_path / "data"))
    (data / "rose" / "notes.txt").write_text("no photo")
    said = finegraft("eval", run, data, "--json").object
    assert (said["n_judged"], said["findings"]) == (20, {"not-a-photo": 1})


def test_unknown_classes_are_said_with_the_nearest_and_the_way_out(run: Path, tmp_path: Path) -> None:
    data = folder_of_photos(tmp_path, {"Roses": 2, "tulip": 2}, seed=7)
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
