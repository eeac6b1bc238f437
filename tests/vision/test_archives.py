from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from finegraft.data.dataset import Dataset
from finegraft.errors import DataError, UsageError
from finegraft.vision.sources import read
from tests.data.packing import LINK, header, patched, tarred, zipped
from tests.making import folder_of_photos, photo

pytestmark = pytest.mark.usefixtures("empty_cache")


def packed(folder: Path, kind: str = "zip", *, top: bool = False) -> Path:
    """An archive of `folder`, with the folder itself at its top or without."""
    inside = {"root_dir": folder.parent, "base_dir": folder.name} if top else {"root_dir": folder}
    return Path(shutil.make_archive(str(folder.parent / "packed"), kind, **inside))  # type: ignore[arg-type]


def kinds(data: Dataset) -> dict[str, str | None]:
    return {record.key: record.left_out for record in data.left_out}


@pytest.mark.parametrize("kind", ["zip", "tar", "gztar", "xztar"])
@pytest.mark.parametrize("top", [True, False])
def test_an_archive_is_the_folder_it_holds(tmp_path: Path, empty_cache: Path, kind: str, top: bool) -> None:
    folder = folder_of_photos(tmp_path / "photos", {"rose": 4, "tulip": 4})
    found, wanted = read(packed(folder, kind, top=top)), read(folder)
    assert found.records == wanted.records
    assert found.findings == wanted.findings
    assert found.root.is_relative_to(empty_cache / "archives")
    assert all((found.root / record.key).is_file() for record in found.records)


def test_given_splits_and_the_folder_of_one_class(tmp_path: Path) -> None:
    folder = folder_of_photos(tmp_path / "set", {"train/rose": 2, "train/tulip": 2, "test/rose": 1, "test/tulip": 1})
    assert read(packed(folder, top=True)).given_splits == {"train", "test"}
    one = packed(folder_of_photos(tmp_path / "lily", {".": 3}), top=True)
    assert read(one).counts() == {"lily": 3}, "its name would be lost with it"


def test_a_cache_that_was_cleared_costs_time_only(tmp_path: Path, empty_cache: Path) -> None:
    path = packed(folder_of_photos(tmp_path / "photos", {"rose": 4, "tulip": 4}))
    first = read(path)
    shutil.rmtree(empty_cache)
    assert read(path) == first


def test_a_table_at_the_top_is_the_data_where_a_column_is_named(tmp_path: Path) -> None:
    folder = folder_of_photos(tmp_path / "set", {"photos": 6})
    rows = [f"photos/{i:04d}.jpg,{'ab'[i % 2]},{i // 2}" for i in range(6)]
    (folder / "labels.csv").write_text("\n".join(["file,breed,patient", *rows, "photos/none.jpg,a,9", "../x.jpg,a,9"]))
    (folder / "README.txt").write_text("About these photos, and more.")
    for source in (packed(folder), packed(folder, "gztar", top=True), folder):
        data = read(source, target="breed", group="patient")
        assert data.counts() == {"a": 3, "b": 3}
        assert (data.root / "labels.csv").is_file()
        assert all(record.group for record in data.usable)
    assert kinds(read(packed(folder), target="breed")) == {
        "labels.csv, row 9": "Row 9 leads out of the archive (../x.jpg). Only files in the archive are opened.",
        "photos/none.jpg": "Row 8: There is no such file. Check the path.",
    }
    data = read(packed(folder))
    assert data.classes == ("photos",)
    assert set(kinds(data)) == {"labels.csv", "README.txt"}


def test_a_table_that_is_not_used_is_told_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = folder_of_photos(tmp_path / "set", {"photos": 2})
    (folder / "labels.csv").write_text("file,breed,age\nphotos/0000.jpg,a,1\nphotos/0001.jpg,b,2\n")
    (folder / "README.txt").write_text("About these photos, and more.")
    (folder / "list.txt").write_text("photos/0000.jpg\n")
    (folder / "other.csv").write_text("file,breed\nphotos/none.jpg,a\n")
    for source in (folder, path := packed(folder)):
        with caplog.at_level("INFO", "finegraft"):
            read(source)
        assert [record.getMessage() for record in caplog.records] == [
            f"{source}/labels.csv names files too; to take the labels from it, name their column with --target "
            "(breed, age)."
        ]
        caplog.clear()
    with caplog.at_level("INFO", "finegraft"):
        read(path, target="age")
    assert not any("names files too" in record.getMessage() for record in caplog.records)


def test_which_table_is_not_guessed(tmp_path: Path) -> None:
    folder = folder_of_photos(tmp_path / "set", {"photos": 2})
    path = packed(folder)
    with pytest.raises(
        UsageError, match=r"At the top of .*packed\.zip there is no table with the columns asked for \(breed"
    ):
        read(path, target="breed")
    for name in ("train.csv", "test.csv"):
        (folder / name).write_text("file,breed\nphotos/0000.jpg,a\n")
    with pytest.raises(
        UsageError, match=r"several tables have these columns: test\.csv, train\.csv\. Give one of them as D"
    ):
        read(packed(folder), target="breed")


def test_what_could_not_be_unpacked_is_left_out_with_its_name(tmp_path: Path) -> None:
    good = {f"{name}/{i}.jpg": photo(i, look=name) for name in ("rose", "tulip") for i in range(2)}
    bad = {"rose/link.jpg": b"/etc/passwd", "../evil.jpg": b"1", "/etc/evil.jpg": b"2", "rose\\evil.jpg": b"3"}
    path = zipped(tmp_path / "a.zip", [*good.items(), *bad.items(), ("rose/0.jpg", b"again"), ("rose/text.jpg", b"no")])
    patched(path, "rose/link.jpg", attributes=LINK)
    data = read(path)
    assert data.counts() == {"rose": 2, "tulip": 2}
    assert kinds(data) == {
        "%/etc/evil.jpg": "Not unpacked: its name '/etc/evil.jpg' leads out of the archive's folder.",
        "%2E%2E/evil.jpg": "Not unpacked: its name '../evil.jpg' leads out of the archive's folder.",
        "rose%5Cevil.jpg": "Not unpacked: its name 'rose\\\\evil.jpg' leads out of the archive's folder.",
        "rose/0.jpg (entry 9)": "Not unpacked: another entry has its name, or the name of a folder it should lie in.",
        "rose/link.jpg": "Not unpacked: it is a link.",
        "rose/text.jpg": "The content is not a photo: it looks like a text.",
    }
    assert Counter(f.kind for f in data.findings if f.key in kinds(data)) == {"unreadable": 5, "not-a-photo": 1}
    data.save(tmp_path / "manifest.jsonl")
    for record in data.left_out:
        assert (data.root / record.key).resolve().is_relative_to(data.root.resolve())


def test_a_row_whose_file_could_not_be_unpacked_says_why(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"a.jpg": photo(1), "b.jpg": photo(2), "t.csv": b"f,label\na.jpg,x\nb.jpg,y\n"})
    data = read(patched(path, "b.jpg", flags=1), target="label")
    reason = "Row 3: Not unpacked: it is encrypted. Unpack the archive yourself and give the folder."
    assert [(r.key, r.label, r.left_out) for r in data.records] == [("a.jpg", "x", None), ("b.jpg", "y", reason)]


def test_odd_names_stay_what_they_are(tmp_path: Path) -> None:
    names = ["rose/new\nline.jpg", "tulip/größe 猫.jpg", "rose/-dash.jpg", "tulip/a b.jpg"]
    entries = [(name, photo(i)) for i, name in enumerate(names)]
    data = read(
        tarred(tmp_path / "a.tar", [*entries, ("rose/caf\udce9.jpg", photo(9))], errors="surrogateescape", format=1)
    )
    assert [record.key for record in data.usable] == sorted(names)
    assert kinds(data) == {"rose/caf\\xe9.jpg": "Not unpacked: its name is not valid UTF-8."}
    data.save(tmp_path / "manifest.jsonl")


def test_archives_without_files(tmp_path: Path) -> None:
    for path in (zipped(tmp_path / "a.zip", {}), zipped(tmp_path / "b.zip", {"__MACOSX/x": b"1", ".hidden": b"2"})):
        with pytest.raises(
            DataError, match=r"The archive .*\.zip holds no files\. Put each class in a folder of its own"
        ):
            read(path)
    flat = zipped(tmp_path / "c.zip", {"1.jpg": photo(1), "2.jpg": photo(2)})
    with pytest.raises(DataError, match=r"c\.zip holds 2 photos but no class folders\. .* own: .*c\.zip/rose/1\.jpg"):
        read(flat)


def test_an_archive_as_the_test_part(tmp_path: Path) -> None:
    folder = folder_of_photos(tmp_path / "mine", {"rose": 3, "tulip": 3})
    other = packed(folder_of_photos(tmp_path / "theirs", {"rose": 2, "tulip": 2}), "tar")
    for source in (folder, packed(folder)):
        data = read(source, test=other)
        assert (len(data.usable), len(data.part("test"))) == (10, 4)
        assert all((data.root / record.key).is_file() for record in data.usable)


def test_a_link_in_an_archive_leads_nowhere(tmp_path: Path) -> None:
    entries = [header("rose", b"2", leads_to=str(tmp_path)), ("rose/1.jpg", photo(1)), ("tulip/1.jpg", photo(2))]
    data = read(tarred(tmp_path / "a.tar", entries))
    assert data.counts() == {"rose": 1, "tulip": 1}
    assert kinds(data) == {"rose (entry 1)": "Not unpacked: it is a link."}
    assert not (tmp_path / "1.jpg").exists()
