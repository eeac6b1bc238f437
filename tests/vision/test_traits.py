from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from finegraft.vision.listing import Found, Listing
from finegraft.vision.looks import LOOK
from finegraft.vision.sources import read
from finegraft.vision.traits import folders_of, of_folders, of_looks, traits_of
from tests.making import encoded, folder_of_photos, photo, scene


def listing(**changed: object) -> Listing:
    return replace(Listing(Path("photos"), Path("photos"), (), by_folder=True), **changed)  # type: ignore[arg-type]


def test_looks_are_told_in_four_numbers(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    night, day = (
        Image.blend(scene(i, (300, 200)), Image.new("RGB", (300, 200), grey), 0.7)
        for i, grey in enumerate(((10, 10, 10), (250, 250, 250)))
    )
    for name, content in {
        "1 night.jpg": encoded(night),
        "2 day.jpg": encoded(day),
        "3 blurred.jpg": encoded(scene(3, (300, 200)).filter(ImageFilter.GaussianBlur(4))),
        "4 turned.jpg": encoded(scene(4, (300, 100)), orientation=6),
        "5 broken.jpg": photo(5)[:200],
    }.items():
        (tmp_path / "a" / name).write_bytes(content)
    data = read(tmp_path)
    traits = data.traits
    assert list(traits) == ["brightness", "shorter side", "blur", "elongation"]
    assert {values.dtype for values in traits.values()} == {np.dtype(np.float32)}
    for at, image in enumerate((night, day)):
        assert traits["brightness"][at] == pytest.approx(np.asarray(image.convert("L")).mean() / 255, abs=0.01)
    assert traits["shorter side"][:4].tolist() == [200, 200, 200, 100]
    assert traits["elongation"][:4].tolist() == [1.5, 1.5, 1.5, 3.0]
    assert traits["blur"][2] > traits["blur"][1] + 0.1
    assert all(np.isnan(values[4]) for values in traits.values())


@pytest.mark.parametrize(
    ("key", "folders"),
    [
        ("rose/1.jpg", ()),
        ("phone/rose/1.jpg", ("phone",)),
        ("Train/2024/phone/rose/1.jpg", ("2024", "phone")),
        ("2024/test/rose/1.jpg", ("2024",)),
        ("1.jpg", ()),
    ],
)
def test_folders_above_the_class_without_the_given_splits(key: str, folders: tuple[str, ...]) -> None:
    assert folders_of(Found(key), listing()) == folders


def test_folders_of_a_table_s_photos_do_not_name_the_class() -> None:
    table = listing(by_folder=False)
    assert folders_of(Found("images/phone/rose/1.jpg", "rose"), table) == ("images", "phone")
    assert folders_of(Found("/data/phone/1.jpg", "rose"), table) == ("data", "phone")
    assert folders_of(Found("../later/phone/rose/1.jpg"), listing(prefix="../later/")) == ("phone",)


def test_one_folder_tells_nothing_and_too_many_are_told_by_the_outermost() -> None:
    assert of_folders([("phone",), (), ("phone",)]) == {}
    few = of_folders([("phone", "in"), (), ("phone", "out")])["folder"]
    assert few.tolist() == ["phone/in", "", "phone/out"]
    many = of_folders([(f"camera {i % 2}", str(i)) for i in range(60)])["folder"]
    assert many.tolist() == ["camera 0", "camera 1"] * 30
    assert len({id(text) for text in many}) == 2
    assert of_folders([(str(i),) for i in range(60)]) == {}


def test_folders_become_a_trait_of_what_is_read(tmp_path: Path) -> None:
    data = read(folder_of_photos(tmp_path, {"phone/rose": 2, "phone/tulip": 2, "scan/rose": 2, "scan/tulip": 2}))
    assert data.traits["folder"].tolist() == [record.key.split("/")[0] for record in data.records]


def test_columns_of_a_table_become_traits_of_their_photos(tmp_path: Path) -> None:
    folder_of_photos(tmp_path, {"p": 4})
    (tmp_path / "t.csv").write_text(
        "id,file,label,patient,camera,part,remark,blur\n"
        "1,p/0003.jpg,x,7,left,train,,5\n"
        "2,p/0000.jpg,y,7,right,train,,6\n"
        "3,p/0003.jpg,x,8,twice,train,,7\n"
        "4,p/0001.jpg,x,8,,test,,9.5\n"
        "5,gone.jpg,x,8,right,test,,8\n"
        "6,,x,9,left,test,,8\n"
    )
    data = read(tmp_path / "t.csv", target="label", group="patient", split_column="part")
    assert [record.key for record in data.records] == [
        "gone.jpg",
        "p/0000.jpg",
        "p/0001.jpg",
        "p/0003.jpg",
        "t.csv, row 7",
    ]
    assert data.traits["camera"].tolist() == ["right", "right", "", "left", "left"]
    assert data.traits["patient"].tolist() == ["8", "7", "8", "7", "9"]
    assert data.traits["blur"].tolist() == [8, 6, 9.5, 5, 8], "the table comes before the look of the same name"
    assert set(data.traits) == {"brightness", "shorter side", "blur", "elongation", "patient", "camera"}
    assert len(data.traits_of(data.usable)["camera"]) == 3


def test_columns_of_a_parquet_file_become_traits_and_photos_inside_of_it_are_passed_over(tmp_path: Path) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    folder_of_photos(tmp_path, {"p": 4})
    columns = {
        "file": [f"p/000{i}.jpg" for i in range(4)],
        "label": ["x", "y", "x", "y"],
        "iso": [100, 800, None, 100],
        "flash": [True, False, False, None],
        "photo": [b"x" * 200_000] * 4,
        "box": [[1, 2], [3], [], None],
    }
    parquet.write_table(pyarrow.table(columns), tmp_path / "t.parquet")
    traits = read(tmp_path / "t.parquet", target="label", path="file").traits
    np.testing.assert_array_equal(traits["iso"], [100, 800, np.nan, 100])
    assert traits["flash"].tolist() == ["True", "False", "False", ""]
    assert "photo" not in traits
    assert "box" not in traits


def test_a_test_part_of_its_own_brings_its_traits(tmp_path: Path) -> None:
    for name in ("first", "later"):
        folder_of_photos(tmp_path / name, {"p": 2}, seed=len(name))
    (tmp_path / "first" / "t.csv").write_text("file,label,camera\np/0000.jpg,x,left\np/0001.jpg,y,right\n")
    (tmp_path / "later" / "t.csv").write_text("file,label,camera,lens\np/0000.jpg,y,top,wide\np/0001.jpg,x,left,\n")
    data = read(tmp_path / "first" / "t.csv", target="label", test=tmp_path / "later" / "t.csv")
    assert [record.key[:8] for record in data.records] == ["../later", "../later", "p/0000.j", "p/0001.j"]
    assert data.traits["camera"].tolist() == ["top", "left", "left", "right"]
    assert data.traits["lens"].tolist() == ["wide", "", "", ""]


def test_a_photo_s_traits_cost_little_memory() -> None:
    n = 20_000
    looks = np.zeros(n, LOOK)
    looks["width"], looks["height"] = 400, 300
    source = listing()
    owned = [(Found(f"camera {i % 5}/class {i % 37}/{i:08d}.jpg"), source) for i in range(n)]
    tracemalloc.start()
    traits = traits_of(owned, looks)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert set(traits) == {"brightness", "shorter side", "blur", "elongation", "folder"}
    assert kept / n < 30
    assert peak / n < 100


def test_no_photos_have_no_traits() -> None:
    assert {name: len(values) for name, values in of_looks(np.zeros(0, LOOK)).items()} == dict.fromkeys(
        ("brightness", "shorter side", "blur", "elongation"), 0
    )
