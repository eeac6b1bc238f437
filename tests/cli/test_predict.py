from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import finegraft as fg
from finegraft.cli.stdin_list import paths_on_stdin as listed
from tests.cli.running import COMMAND, finegraft
from tests.making import photo


def test_json_lines_are_those_of_the_predictor(run: Path, photos: Path) -> None:
    done = finegraft("predict", run, photos, "--json", "--top", "1")
    assert (done.code, done.err) == (0, "")
    files = [str(path) for path in sorted(photos.rglob("*.jpg"))]
    assert [row["path"] for row in done.rows] == files
    predictor = fg.load(run / "model.fg")
    for row in done.rows:
        assert set(row) == {"path", "label", "probability", "unsure", "ranking"}
        wanted = predictor.predict(row["path"])
        assert row["label"] == wanted.label
        assert row["probability"] == pytest.approx(wanted.probability, abs=1e-3)
        assert row["ranking"] == [{"label": row["label"], "probability": row["probability"]}]
    right = sum(row["label"] == Path(row["path"]).parent.name for row in done.rows)
    assert right >= 18


def test_a_run_and_its_bundle_answer_alike_on_every_engine(run: Path, rose: Path) -> None:
    rows = [
        finegraft("predict", model, rose, "--json", "--engine", engine).object
        for model, engine in [(run, "auto"), (run / "model.fg", "onnxruntime"), (run / "model.fg", "openvino")]
    ]
    for row in rows[1:]:
        assert row["label"] == rows[0]["label"]
        assert row["probability"] == pytest.approx(rows[0]["probability"], abs=1e-3)


def test_text_has_a_line_for_each_photo(run: Path, rose: Path) -> None:
    done = finegraft("predict", run, rose, "nowhere.jpg")
    lines = done.out.splitlines()
    assert (done.code, len(lines)) == (0, 2)
    assert lines[0].startswith(f"{rose}  ")
    assert "rose" in lines[0]
    assert " %" in lines[0]
    assert lines[1].endswith("– There is no such file. Check the path. (unreadable)")
    assert done.err == "1 of 2 files could not be answered.\n"


def test_csv_quotes_what_needs_it(run: Path, rose: Path, tmp_path: Path) -> None:
    odd = tmp_path / 'comma, "quote"\nline.jpg'
    shutil.copy(rose, odd)
    done = finegraft("predict", run, odd, "nowhere.jpg", "--csv")
    header, *rows = csv.reader(io.StringIO(done.out))
    assert header == ["path", "label", "probability", "unsure", "error"]
    assert rows[0][0] == str(odd)
    assert rows[0][1] in ("rose", "tulip")
    assert 0.5 <= float(rows[0][2]) <= 1
    assert rows[1] == ["nowhere.jpg", "", "", "", "unreadable: There is no such file. Check the path."]


def test_a_bad_file_among_good_ones_has_its_error_in_its_place(run: Path, rose: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("no photo")
    (tmp_path / "b.jpg").touch()
    (tmp_path / "d.jpg").write_bytes(rose.read_bytes()[:-400])
    paths = [tmp_path / "a.txt", rose, tmp_path / "b.jpg", tmp_path / "c.jpg", rose, tmp_path / "d.jpg"]
    done = finegraft("predict", run, *paths, "--json")
    assert [row["path"] for row in done.rows] == list(map(str, paths))
    assert [row.get("error", {}).get("code") for row in done.rows] == [
        "not-a-photo",
        None,
        "empty",
        "unreadable",
        None,
        "unreadable",
    ]
    assert all(row["error"]["message"] for row in done.rows if "error" in row)
    assert (done.code, done.err) == (0, "")
    assert finegraft("predict", run, *paths, "--json", "--strict").code == 1
    assert finegraft("predict", run, rose, "--strict").code == 0
    all_bad = finegraft("predict", run, "nowhere.jpg", "--json")
    assert (all_bad.code, len(all_bad.rows)) == (1, 1)


def test_folders_and_globs(run: Path, photos: Path, tmp_path: Path) -> None:
    given = finegraft("predict", run, "tulip", "rose/000[01].jpg", "--json", cwd=photos).rows
    assert [row["path"] for row in given] == [f"tulip/{i:04d}.jpg" for i in range(10)] + [
        "rose/0000.jpg",
        "rose/0001.jpg",
    ]
    nothing = finegraft("predict", run, "*.png", cwd=photos)
    assert nothing.error == "Error: No file matches *.png. Check the pattern, or put it in quotes."
    empty = finegraft("predict", run, tmp_path)
    assert empty.error == f"Error: The folder {tmp_path} holds no files. Name a folder with photos in it."


ODD_NAMES = [
    b"-dash.jpg",
    b"sp ace.jpg",
    b"new\nline.jpg",
    "größe 猫.jpg".encode(),
    b"no-utf8-\xff\xfe.jpg",
    b"\x1b[31mred",
]


@pytest.fixture
def odd(tmp_path: Path, rose: Path) -> Path:
    """A folder of photos with every kind of name."""
    folder = tmp_path / "odd"
    folder.mkdir()
    for name in ODD_NAMES:
        shutil.copy(rose, folder / os.fsdecode(name))
    return folder


# As Python sets its streams up under any locale but C: what is no UTF-8 would be an error.
STRICT = {"PYTHONIOENCODING": "utf-8:strict"}


def test_odd_file_names(run: Path, odd: Path) -> None:
    files = sorted(odd.iterdir())
    done = finegraft("predict", run, odd, "--json", env=STRICT)
    assert done.code == 0
    assert [row["path"] for row in done.rows] == list(map(str, files))
    assert "error" not in done.out
    for style in ([], ["--csv"]):
        assert finegraft("predict", run, odd, *style, env=STRICT).code == 0
    text = finegraft("predict", run, odd, env=STRICT).out
    assert len(text.splitlines()) == len(files)
    assert "\x1b" not in text
    done = finegraft("predict", run, "--json", "--", *(path.name for path in files), cwd=odd)
    assert [row["path"] for row in done.rows] == [path.name for path in files]


def test_odd_file_names_on_a_page_and_sorted(run: Path, odd: Path, tmp_path: Path) -> None:
    done = finegraft("predict", run, odd, "--html", tmp_path / "p.html", "--sort-into", tmp_path / "sorted", env=STRICT)
    assert done.code == 0
    assert {os.fsencode(path.name) for path in (tmp_path / "sorted").rglob("*") if path.is_file()} == set(ODD_NAMES)
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    for name in ("-dash.jpg", "sp ace.jpg", "größe 猫.jpg"):
        assert name in page


def test_a_list_on_stdin(run: Path, odd: Path) -> None:
    names = [name for name in ODD_NAMES if b"\n" not in name]
    lines = b"".join(name + b"\n" for name in names)
    done = finegraft("predict", run, "-", "--json", stdin=lines, cwd=odd, env=STRICT)
    assert [os.fsencode(row["path"]) for row in done.rows] == names
    assert done.code == 0
    without_end = finegraft("predict", run, "-", "--json", stdin=b"\r\n\nsp ace.jpg\r\nlost.jpg", cwd=odd)
    assert [row["path"] for row in without_end.rows] == ["sp ace.jpg", "lost.jpg"]
    null = b"".join(name + b"\0" for name in ODD_NAMES)
    done = finegraft("predict", run, "-", "--json", stdin=null, cwd=odd, env=STRICT)
    assert [os.fsencode(row["path"]) for row in done.rows] == ODD_NAMES
    assert "error" not in done.out


PIECES = [
    ([b"a.jp", b"g\0new\n", b"line.jpg\0end\r\0"], ["a.jpg", "new\nline.jpg", "end\r"]),
    ([b"a", b".jpg", b"\r", b"\nb.jpg\r\n", b"c.jpg\r"], ["a.jpg", "b.jpg", "c.jpg"]),
    ([b"lo", b"ne\r"], ["lone\r"]),
]


@pytest.mark.parametrize(("pieces", "wanted"), PIECES)
def test_a_list_may_arrive_in_pieces(monkeypatch: pytest.MonkeyPatch, pieces: list[bytes], wanted: list[str]) -> None:
    """A pipe gives what is there: a read ends anywhere."""
    arriving = iter([*pieces, b""])
    monkeypatch.setattr(os, "read", lambda *_: next(arriving))
    assert [str(path) for path in listed()] == wanted


def test_two_styles_at_once_are_wrong_usage(run: Path, rose: Path) -> None:
    done = finegraft("predict", run, rose, "--csv", "--json")
    assert (done.code, done.error) == (2, "Error: --json and --csv exclude each other. Give one of them.")


def test_copies_are_not_planted_among_what_is_sorted(run: Path, photos: Path) -> None:
    before = sorted(photos.rglob("*"))
    for given, into in [(".", "sorted"), ("rose", "rose/sorted"), ("*", "tulip/new"), (photos, photos)]:
        done = finegraft("predict", run, given, "--sort-into", into, cwd=photos)
        assert (done.code, done.out) == (2, "")
        assert done.error.startswith(f"Error: {into} lies in ")
        assert done.error.endswith(
            "whose photos are to be sorted: the copies would be taken for more. Give --sort-into a folder beside it."
        )
    assert sorted(photos.rglob("*")) == before


def test_an_empty_list_answers_nothing(run: Path) -> None:
    done = finegraft("predict", run, "-", "--json")
    assert (done.code, done.out, done.err) == (0, "", "")


def test_a_list_stands_alone(run: Path, rose: Path) -> None:
    done = finegraft("predict", run, "-", rose)
    assert (done.code, done.error) == (2, f"Error: - means a list on stdin and stands alone. Got - {rose}.")


def test_a_slow_list_is_answered_line_by_line(run: Path, rose: Path) -> None:
    command = [*COMMAND, "predict", str(run), "-", "--json"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for path in (str(rose), "nowhere.jpg", str(rose)):  # the next line is written only after the answer
            process.stdin.write(path + "\n")
            assert json.loads(process.stdout.readline())["path"] == path
        process.stdin.close()
        assert process.stdout.read() == ""
    assert process.returncode == 0


def test_among_several_share_the_whole(run: Path, rose: Path) -> None:
    row = finegraft("predict", run, rose, "--json", "--among", "Tulip, rose").object
    assert sorted(entry["label"] for entry in row["ranking"]) == ["rose", "tulip"]
    assert sum(entry["probability"] for entry in row["ranking"]) == pytest.approx(1, abs=1e-5)


def test_among_one_is_yes_or_no(run: Path, rose: Path) -> None:
    plain = finegraft("predict", run, rose, "--json").object
    for name in ("rose", "tulip"):
        row = finegraft("predict", run, rose, "--json", "--among", name).object
        assert row["label"] == ("yes" if plain["label"] == name else "no")
        own = next(entry["probability"] for entry in row["ranking"] if entry["label"] == "yes")
        assert own == pytest.approx(next(e["probability"] for e in plain["ranking"] if e["label"] == name), abs=1e-5)


def test_among_unknown_names_is_wrong_usage(run: Path, rose: Path) -> None:
    done = finegraft("predict", run, rose, "--among", "rsoe,tulip")
    assert (done.code, done.error) == (2, "Error: The model has no class 'rsoe'. Did you mean 'rose'?")
    assert finegraft("predict", run, rose, "--among", ",").code == 2


def test_the_page_shows_every_photo(run: Path, photos: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for i in range(4):
        (folder / f"photo-{i}.jpg").write_bytes(photo(i, look="rose"))
    (folder / "broken.jpg").write_text("no photo")
    done = finegraft("predict", run, folder, "--html", tmp_path / "new" / "page.html", "--json")
    assert (done.code, len(done.rows)) == (0, 5)
    assert done.err == f"Page: {tmp_path}/new/page.html\n"
    page = (tmp_path / "new" / "page.html").read_text(encoding="utf-8")
    assert page.count("data:image/") == 4
    for path in folder.iterdir():
        assert path.name in page


def test_sorting_copies_each_photo_to_its_answer(run: Path, photos: Path, tmp_path: Path) -> None:
    for _ in range(2):  # the second time every copy is there already
        done = finegraft("predict", run, photos, "missing.jpg", "--sort-into", tmp_path / "sorted", "--json")
        assert done.code == 0
        answers = {row["path"]: row["label"] for row in done.rows if "label" in row}
        copies = sorted(path.read_bytes() for path in (tmp_path / "sorted").rglob("*.jpg"))
        assert copies == sorted(Path(path).read_bytes() for path in answers)
        for label in set(answers.values()):
            kept = {path.read_bytes() for path in (tmp_path / "sorted" / label).iterdir()}
            assert kept == {Path(path).read_bytes() for path, answer in answers.items() if answer == label}


def test_imagenet_needs_no_training(rose: Path) -> None:
    row = finegraft("predict", "imagenet", rose, "--json", "--top", "5").object
    assert len(row["ranking"]) == 5
    assert finegraft("predict", "imagenet", rose, "--json", "--among", "hotdog").object["label"] in ("yes", "no")
    wrong = finegraft("predict", "imagenet", rose, "--among", "hotdgo")
    assert (wrong.code, wrong.error[:68]) == (2, "Error: The model has no class 'hotdgo'. Did you mean 'hotdog' or 'ho")


def test_what_is_no_model_is_named(run: Path, photos: Path, rose: Path, tmp_path: Path) -> None:
    def said(model: Path | str) -> str:
        done = finegraft("predict", model, rose)
        assert (done.code, done.out) == (1, "")
        return done.error.removeprefix("Error: ")

    assert said("imagnet") == "There is no model imagnet. Did you mean 'imagenet'?"
    assert said("nowhere") == (
        "There is no model nowhere. Give a RUN folder, a bundle (.fg), or the word imagenet "
        "for the backbone's own 1,000 classes."
    )
    assert said(photos).startswith(f"{photos} is not a run: it has no run.json.")
    assert said(rose).startswith(f"{rose} is not a bundle: it is not a zip")
    (tmp_path / "cut.fg").write_bytes((run / "model.fg").read_bytes()[:-1000])
    assert said(tmp_path / "cut.fg").startswith(f"{tmp_path}/cut.fg is not a bundle")
    (tmp_path / "lost").mkdir()
    shutil.copy(run / "run.json", tmp_path / "lost")
    assert said(tmp_path / "lost") == f"The run {tmp_path}/lost has lost its model.fg. Train again with --force."


def test_a_place_that_cannot_be_written_is_said_before_the_work(run: Path, rose: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place, said in [
        (tmp_path / "file" / "page.html", f"{tmp_path}/file is no folder. Choose another place."),
        (tmp_path, "it is a folder. Give the name of a file."),
    ]:
        done = finegraft("predict", run, rose, "--html", place)
        assert (done.code, done.out) == (1, "")
        assert done.error == f"Error: Cannot write {place}: {said}"
    done = finegraft("predict", run, rose, "--sort-into", tmp_path / "file")
    assert (done.code, done.out) == (1, "")
    assert done.error.startswith(f"Error: Cannot sort photos into {tmp_path}/file: it is a file.")
