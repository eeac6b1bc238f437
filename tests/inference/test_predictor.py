from __future__ import annotations

import itertools
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnx import helper
from scipy.special import softmax

from finegraft.errors import BundleError, UnreadableFile, UsageError
from finegraft.inference.predictor import Prediction, PredictionError, Predictor
from finegraft.models.graph import with_head
from finegraft.models.novelty import Likeness, Novelty
from finegraft.runtimes import available
from tests.graphs import by_hand, model_of, small_graph, small_model
from tests.inference.making import LABELS, predictor
from tests.making import photo


def wanted(content: bytes, temperature: float = 1.0) -> np.ndarray:
    """Probabilities by hand: the preprocess, the mathematics of the graph, scipy's softmax."""
    x = predictor().preprocess.load(content)[None]
    return np.asarray(softmax(by_hand(small_model(), x)["scores"][0] / temperature))


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{seed:02}.jpg" for seed in range(12)]
    for seed, path in enumerate(paths):
        path.write_bytes(photo(seed, look=str(seed % 3)))
    return paths


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_an_answer_is_the_calibrated_softmax_sorted(temperature: float) -> None:
    probabilities = wanted(photo(1), temperature)
    answer = predictor(temperature=temperature).predict(photo(1))
    order = np.argsort(-probabilities)
    assert [label for label, _ in answer.ranking] == [LABELS[i] for i in order]
    np.testing.assert_allclose([p for _, p in answer.ranking], probabilities[order], atol=1e-5)
    assert (answer.label, answer.probability) == answer.ranking[0]


def test_a_path_its_text_and_its_bytes_answer_alike(photos: list[Path]) -> None:
    whole = predictor()
    by_path, by_text, by_bytes = (whole.predict(item) for item in (photos[0], str(photos[0]), photos[0].read_bytes()))
    assert by_path == by_text
    assert by_path.ranking == by_bytes.ranking
    assert (by_path.path, by_bytes.path) == (str(photos[0]), None)


@pytest.mark.parametrize("engine", available())
def test_every_engine_gives_the_same_answer(engine: str) -> None:
    answer = predictor(engine=engine).predict(photo(2))
    got = [dict(answer.ranking)[label] for label in LABELS]
    np.testing.assert_allclose(got, wanted(photo(2)), atol=1e-3)


def test_an_unsure_answer_says_so() -> None:
    probability = predictor().predict(photo(3)).probability
    assert predictor(unsure_below=probability + 0.01).predict(photo(3)).unsure == "close call"
    assert predictor(unsure_below=probability - 0.01).predict(photo(3)).unsure is None
    assert predictor(unsure_below=0.0).predict(photo(3)).unsure is None


def test_an_item_unlike_the_training_data_says_so_before_anything_else() -> None:
    measure = Novelty(likeness_of(4), np.array([0.0, 0.0, 0.0]), 1.01)
    graph = with_head(small_graph(), [(np.eye(3, 4), np.zeros(3))], measure)
    assert predictor(graph=graph, unsure_below=1.0).predict(photo(3)).unsure == "unlike training"
    assert predictor(graph=graph).among([LABELS[0]]).predict(photo(3)).unsure == "unlike training"
    familiar = with_head(small_graph(), [(np.eye(3, 4), np.zeros(3))], replace(measure, offset=1.0))
    assert predictor(graph=familiar, unsure_below=1.0).predict(photo(3)).unsure == "close call"
    (row,) = predictor(graph=familiar).judgements([photo(3)])
    assert not isinstance(row, UnreadableFile)
    assert row.novelty == 1.0


def likeness_of(width: int) -> Likeness:
    eye = np.eye(width, 1, dtype=np.float32)
    one = np.ones((1, 1), np.float32)
    return Likeness(np.zeros(width, np.float32), np.ones(width, np.float32), eye, one, one, one)


def test_a_novelty_that_is_no_number_is_refused() -> None:
    measure = Novelty(likeness_of(4), np.array([0.0, 0.0, 0.0]), float("nan"))
    graph = with_head(small_graph(), [(np.eye(3, 4), np.zeros(3))], measure)
    with pytest.raises(BundleError, match=r"novelty is not one finite number an item\. Export it again"):
        predictor(graph=graph).predict(photo(3))


def test_what_cannot_be_read_is_raised_with_its_code(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="There is no such file") as missing:
        predictor().predict(tmp_path / "missing.jpg")
    with pytest.raises(UnreadableFile, match="holds no bytes") as empty:
        predictor().predict(b"")
    assert (missing.value.code, empty.value.code) == ("unreadable", "empty")


def test_many_answer_as_each_alone_does_and_in_order(photos: list[Path]) -> None:
    whole = predictor()
    alone = [whole.predict(path) for path in photos]
    for together, single in zip(whole.predict_many(photos), alone, strict=True):
        assert isinstance(together, Prediction)
        assert (together.path, together.label) == (single.path, single.label)
        assert together.probability == pytest.approx(single.probability, abs=1e-5)


def test_a_bad_item_of_many_is_an_error_in_its_place(photos: list[Path], tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no photo")
    rows = list(predictor().predict_many([photos[0], tmp_path / "notes.txt", b"", photos[1]]))
    assert [type(row) for row in rows] == [Prediction, PredictionError, PredictionError, Prediction]
    bad = rows[1]
    assert isinstance(bad, PredictionError)
    assert (bad.path, bad.code) == (str(tmp_path / "notes.txt"), "not-a-photo")
    assert "not a photo" in bad.message
    assert rows[2].path is None


def test_many_may_be_endless(photos: list[Path]) -> None:
    answers = predictor().predict_many(itertools.cycle(photos))
    assert [row.path for row in itertools.islice(answers, 30)] == [str(photos[i % 12]) for i in range(30)]
    answers.close()


def test_probabilities_are_in_the_order_of_the_labels(photos: list[Path]) -> None:
    rows = list(predictor(temperature=2.0).judgements([photos[0], b"", photos[1]]))
    assert isinstance(rows[1], UnreadableFile)
    for row, path in ((rows[0], photos[0]), (rows[2], photos[1])):
        assert not isinstance(row, UnreadableFile)
        assert row.novelty is None, "a graph without that output cannot tell"
        np.testing.assert_allclose(row.values, wanted(path.read_bytes(), 2.0), atol=1e-5)


def test_few_and_many_may_use_different_engines(photos: list[Path]) -> None:
    whole = predictor()
    whole.predict(photos[0])
    assert whole.engines.get("start").name == "onnxruntime"
    list(whole.predict_many(iter(photos)))  # nobody knows how many
    many = whole.engines.get("throughput")
    assert many.name == ("openvino" if "openvino" in available() else "onnxruntime")
    assert whole.engines.get("start") is many  # what is open need not be opened again


def test_threads_share_one_predictor(photos: list[Path]) -> None:
    whole = predictor()
    alone = [whole.predict(path).label for path in photos]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(lambda path: whole.predict(path).label, photos * 5)) == alone * 5


def test_among_several_restricts_the_answer_and_leaves_the_whole_alone() -> None:
    whole = predictor()
    some = whole.among(["CAT FISH", "ant"])
    probabilities = wanted(photo(4))
    answer = some.predict(photo(4))
    assert some.labels == ("cat fish", "ant")
    assert whole.labels == LABELS
    np.testing.assert_allclose(dict(answer.ranking)["ant"], probabilities[0] / probabilities[[0, 2]].sum(), atol=1e-5)
    assert some.engines is whole.engines


def test_among_one_answers_yes_or_no_with_its_own_probability() -> None:
    whole = predictor()
    first = whole.predict(photo(5))
    last, own = first.ranking[-1]
    yes, no = (whole.among([label]).predict(photo(5)) for label in (first.label, last))
    assert (yes.label, yes.probability) == ("yes", pytest.approx(first.probability))
    assert (no.label, no.probability) == ("no", pytest.approx(1 - own))
    assert no.ranking == (("no", pytest.approx(1 - own)), ("yes", pytest.approx(own)))


def test_the_answer_leads_the_ranking_even_where_it_has_the_smaller_part() -> None:
    labels = tuple(f"class {i}" for i in range(40))
    whole = predictor(labels, temperature=20.0)
    first = whole.predict(photo(6))
    assert first.probability < 0.5
    answer = whole.among([first.label]).predict(photo(6))
    assert [label for label, _ in answer.ranking] == ["yes", "no"]
    assert answer.label == "yes"


def test_among_is_unsure_by_the_probabilities_of_all_classes() -> None:
    """Two classes far from a photo share the whole probability between them, and would look sure."""
    first, second, third = predictor().predict(photo(4)).ranking
    share = second[1] / (second[1] + third[1])
    assert second[1] < first[1] < share, "the photo shows what this test is about"
    whole = predictor(unsure_below=(second[1] + share) / 2)
    restricted = whole.among([third[0], second[0]]).predict(photo(4))
    assert (restricted.label, restricted.unsure) == (second[0], "close call")
    assert restricted.probability == pytest.approx(share)
    assert restricted.probability >= whole.unsure_below


@pytest.mark.parametrize("place", [0, 1, 2])
def test_yes_and_no_are_unsure_where_the_whole_predictor_is(place: int) -> None:
    ranking = predictor().predict(photo(4)).ranking
    for threshold, unsure in ((ranking[0][1] + 0.01, "close call"), (ranking[0][1] - 0.01, None)):
        whole = predictor(unsure_below=threshold)
        assert whole.predict(photo(4)).unsure == unsure
        assert whole.among([ranking[place][0]]).predict(photo(4)).unsure == unsure


def test_a_restricted_predictor_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds all classes of a model\. Save the one that \.among"):
        predictor(("yes", "no")).among(["yes"]).save(tmp_path / "model.fg")
    assert list(tmp_path.iterdir()) == []


def test_scores_for_other_classes_are_refused() -> None:
    wrong = predictor(graph=small_model(classes=5).SerializeToString())
    with pytest.raises(BundleError, match=r"scores of shape \(5,\) for 3 classes"):
        wrong.predict(photo(0))


def test_scores_that_are_no_numbers_are_refused() -> None:
    model = small_model()
    broken = np.full((4, 3), np.nan, np.float32)
    next(value for value in model.graph.initializer if value.name == "head").raw_data = broken.tobytes()
    with pytest.raises(BundleError, match="scores are not finite numbers"):
        predictor(graph=model.SerializeToString()).predict(photo(0))


def test_a_graph_without_scores_is_refused() -> None:
    model = model_of([helper.make_node("Cast", ["input"], ["map"], to=1)], ["n", 8, 8, 3], {"map": ["n", 8, 8, 3]})
    with pytest.raises(BundleError, match=r"no output 'scores', only map\. Export it again"):
        predictor(graph=model.SerializeToString()).predict(photo(0))


def test_a_wrong_engine_is_said_before_any_photo() -> None:
    with pytest.raises(UsageError, match="There is no engine called 'abacus'"):
        predictor(engine="abacus")


def test_it_shows_itself_in_a_line() -> None:
    assert repr(predictor()) == "Predictor(vision, 3 answers, backbone lite0)"


def test_importing_it_imports_no_engine_and_nothing_that_only_others_need() -> None:
    heavy = ("onnxruntime", "openvino", "torch", "PIL", "zipfile", "difflib", "tempfile", "concurrent.futures")
    code = f"import sys, finegraft.inference.bundle; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe")
    started = time.monotonic()
    with pytest.raises(UnreadableFile, match="pipe or a device"):
        predictor().predict(tmp_path / "pipe")
    assert time.monotonic() - started < 30


def test_predictor_is_what_the_package_offers() -> None:
    import finegraft as fg

    assert fg.Predictor is Predictor
    assert fg.Prediction is Prediction


def test_a_runtime_for_one_item_stands_beside_that_for_many_and_answers_the_same(tmp_path: Path) -> None:
    made = predictor(threads=2)
    assert made.engines.for_one() is made.engines.get("throughput")
    made.engines.open_for_one()
    one, many = made.engines.for_one(), made.engines.get("throughput")
    assert (one.streams, many.streams) == (1, 2)
    content = photo(1)
    (alone,), (beside,) = made.predict_batch([content], alone=True), made.predict_batch([content])
    assert isinstance(alone, Prediction)
    assert isinstance(beside, Prediction)
    assert alone.label == beside.label
    assert alone.probability == pytest.approx(beside.probability, abs=1e-5)
    single = predictor(threads=1)
    single.engines.open_for_one()
    assert single.engines.for_one() is single.engines.get("throughput")
