from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.cli.running import finegraft


def test_json_counts_and_findings(photos: Path, tmp_path: Path) -> None:
    data = Path(shutil.copytree(photos, tmp_path / "data"))
    shutil.copy(data / "rose" / "0000.jpg", data / "rose" / "again.jpg")
    (data / "tulip" / "empty.jpg").touch()
    done = finegraft("check", data, "--json")
    assert (done.code, done.err) == (0, "")
    said = done.object
    assert (said["records"], said["classes"], said["left_out"]) == (21, {"rose": 11, "tulip": 10}, 1)
    assert {(row["key"], row["other"], row["kind"]) for row in said["findings"]} == {
        ("rose/again.jpg", "rose/0000.jpg", "exact-copy"),
        ("tulip/empty.jpg", None, "empty"),
    }
    for row in said["findings"]:
        assert set(row) == {"key", "other", "kind", "score", "note"}


def test_text_and_strict(photos: Path, tmp_path: Path) -> None:
    clean = finegraft("check", photos, "--strict")
    assert (clean.code, clean.out.splitlines()[-1]) == (0, "Nothing is wrong with them.")
    data = Path(shutil.copytree(photos, tmp_path / "data"))
    (data / "rose" / "\x1b[31mred\nname.txt").write_text("no photo")
    (data / "rose" / os.fsdecode(b"\xff.jpg")).write_bytes(b"no photo")
    done = finegraft("check", data, env={"PYTHONIOENCODING": "utf-8:strict"})
    assert done.code == 0
    assert r"rose/\x1b[31mred\nname.txt: not-a-photo. " in done.out
    assert "\x1b" not in done.out
    assert finegraft("check", data, "--strict").code == 1


def test_given_splits_and_groups_are_counted(photos: Path, tmp_path: Path) -> None:
    rows = [
        f"{kind}/{i:04d}.jpg,{kind},{i // 4},{'test' if i > 7 else ''}" for kind in ("rose", "tulip") for i in range(10)
    ]
    table = tmp_path / "set" / "labels.csv"
    shutil.copytree(photos, table.parent)
    table.write_text("\n".join(["file,label,owner,part", *rows]))
    plain = finegraft("check", table, "--target", "label").out
    assert "stay together" not in plain
    assert "Given splits" not in plain
    lines = finegraft("check", table, "--target", "label", "--group", "owner").out.splitlines()
    assert "3 groups stay together; the largest has 8 photos." in lines
    table.write_text(table.read_text().replace(",\n", ",train\n"))
    lines = finegraft("check", table, "--target", "label", "--split-column", "part").out.splitlines()
    assert "Given splits: train 16, test 4." in lines


def test_what_is_no_folder_of_photos(rose: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    shutil.copy(rose, tmp_path / "photo")
    mend = "Give the folder that holds the class folders, or a table of them."
    for data, said in [
        ("nowhere", "There is no file or folder nowhere. Check the path."),
        ("empty", f"empty is empty. {mend}"),
        ("photo", f"photo is neither a table nor an archive. {mend}"),
    ]:
        done = finegraft("check", data, cwd=tmp_path)
        assert (done.code, done.out, done.error) == (1, "", f"Error: {said}")
