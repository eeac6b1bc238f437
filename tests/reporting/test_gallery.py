from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from finegraft.reporting.gallery import gallery
from tests.making import photo
from tests.reporting.making import HOSTILE
from tests.reporting.reading import Outline


def answered(path: str, label: str, probability: float, unsure: str | None = None) -> tuple[bytes, dict[str, Any], str]:
    ranking = [{"label": label, "probability": probability}, {"label": "other", "probability": 1 - probability}]
    row = {"path": path, "label": label, "probability": probability, "unsure": unsure, "ranking": ranking}
    return photo(1), row, path


def failed(path: str, code: str, message: str) -> tuple[None, dict[str, Any], str]:
    return None, {"path": path, "error": {"code": code, "message": message}}, path


def written(items: list[Any], folder: Path) -> Outline:
    outline = Outline(gallery(iter(items), folder / "answers.html").read_text(encoding="utf-8"))
    assert outline.errors == []
    return outline


def test_photos_stand_least_sure_first_with_their_ranking(tmp_path: Path) -> None:
    outline = written([answered("a.jpg", "cat", 0.99), answered("b.jpg", "dog", 0.51, "close call")], tmp_path)
    assert [image["alt"] for image in outline.all("img")] == ["b.jpg", "a.jpg"]
    assert "dog ? unsure: close call dog 51.0 % other 49.0 % b.jpg" in outline.text
    assert "2 photos answered It is unsure about 1 of them." in outline.text
    assert [rect["width"] for rect in outline.all("rect")][1:4:2] == ["51", "49"]


def test_what_could_not_be_read_stands_apart_with_its_reason(tmp_path: Path) -> None:
    outline = written([answered("a.jpg", "cat", 0.9), failed("n.txt", "not-a-photo", "The content is text.")], tmp_path)
    assert [a["id"] for a in outline.all("section")] == ["answers", "counts", "failed"]
    assert "1 file could not be read" in outline.text
    assert "n.txt The content is text. not-a-photo" in outline.text


def test_a_photo_without_a_thumbnail_is_listed_all_the_same(tmp_path: Path) -> None:
    _, row, title = answered("a.jpg", "cat", 0.9)
    outline = written([(None, row, title), (b"not a picture", row, title)], tmp_path)
    assert outline.text.count("no picture") == 2


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([], "There was nothing to answer: no photo was given."),
        ([failed("n.txt", "empty", "The file is empty.")], "0 photos answered 1 file could not be read"),
    ],
)
def test_empty_and_failed_are_designed_states(items: list[Any], words: str, tmp_path: Path) -> None:
    assert words in written(items, tmp_path).text


def test_the_classes_are_counted(tmp_path: Path) -> None:
    items = [answered(f"{i}.jpg", label, 0.9) for i, label in enumerate(["cat", "dog", "cat"])]
    assert "Photos answered so Class Photos Share cat 2 dog 1" in written(items, tmp_path).text


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    items: list[Any] = [answered(name, name, 0.5, name) for name in HOSTILE]
    items += [failed(name, name, name) for name in HOSTILE]
    outline = written(items, tmp_path)
    assert {"script", "b"} & {name for name, _ in outline.elements} == set()
    assert "<script>alert(1)</script>" in outline.text


def test_tags_and_numbers_are_shown_as_what_they_are(tmp_path: Path) -> None:
    entries = [{"label": "red", "probability": 0.98}, {"label": "round", "probability": 0.45}]
    rows = [
        {"path": "a.jpg", "labels": entries[:1], "unsure": None, "ranking": entries},
        {"path": "b.jpg", "labels": [], "unsure": "close call", "ranking": entries},
    ]
    tags = written([(photo(1), row, str(row["path"])) for row in rows], tmp_path)
    assert [image["alt"] for image in tags.all("img")] == ["b.jpg", "a.jpg"]
    assert "no tag ? unsure: close call" in tags.text
    assert "A bar shows the probability of a tag." in tags.text
    assert "Tag Photos Share red 1" in tags.text
    number = {"path": "c.jpg", "value": 12.5, "interval": [10.0, 15.0], "unsure": None}
    numbers = written([(photo(1), number, "c.jpg")], tmp_path)
    assert "12.5 10 to 15 c.jpg" in numbers.text
    assert [part["id"] for part in numbers.all("section")] == ["answers"]
