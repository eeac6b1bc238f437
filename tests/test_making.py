from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from finegraft.vision.preprocess import Preprocess
from tests.making import folder_of_photos, photo


def test_the_same_arguments_make_the_same_file() -> None:
    assert photo(3, (40, 30)) == photo(3, (40, 30))
    assert photo(3) != photo(4)


def test_classes_can_be_learned_and_no_two_files_are_equal(tmp_path: Path) -> None:
    names = ["a", "b", "c", "d", "e"]
    parts = {f"{part}/{name}": 12 for part in ("train", "test") for name in names}
    folder_of_photos(tmp_path, parts)
    how, arrays, labels = Preprocess(size=16, crop=1.0), {}, {}
    for part in ("train", "test"):
        files = sorted((tmp_path / part).rglob("*.jpg"))
        arrays[part] = np.array([how.load(file.read_bytes()).reshape(-1) / 255 for file in files])
        labels[part] = [file.parent.name for file in files]
    assert len({file.read_bytes() for file in tmp_path.rglob("*.jpg")}) == 120
    model = LogisticRegression(max_iter=500).fit(arrays["train"], labels["train"])
    assert model.score(arrays["test"], labels["test"]) > 0.9
