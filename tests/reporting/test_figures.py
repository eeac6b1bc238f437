from __future__ import annotations

import itertools
import math
from xml.etree import ElementTree

import numpy as np
import pytest

from finegraft.reporting import axes
from finegraft.reporting.axes import Figure
from finegraft.reporting.bars import share_bar, share_ruler
from finegraft.reporting.figures import error_curve, finder_points, loss_curves, lr_curve, value_at
from finegraft.reporting.matrix import confusion_matrix
from tests.reporting.making import finder_curve, history_of

SVG = "{http://www.w3.org/2000/svg}"


def parsed(figure: Figure | None) -> ElementTree.Element:
    assert figure is not None
    return ElementTree.fromstring(figure.svg.text)


def texts(root: ElementTree.Element) -> list[str]:
    return [(t.text or "").replace("\u00a0", " ") for t in root.iter(f"{SVG}text")]


def curve() -> Figure:
    found = finder_curve()
    figure = lr_curve(found["lrs"], found["losses"], found["suggestion"], found["reason"])
    assert figure is not None
    return figure


def test_every_figure_is_an_image_with_a_name_and_a_description() -> None:
    matrix = np.array([[9, 1], [0, 8]])
    for figure in (curve(), loss_curves(history_of(5)), error_curve(history_of(5)), confusion_matrix(matrix, "ab")):
        root = parsed(figure)
        assert figure is not None
        assert root.get("role") == "img"
        assert root.get("aria-label") == figure.title == root.findtext(f"{SVG}title")
        assert len(root.findtext(f"{SVG}desc") or "") > 30


def test_colours_come_from_the_tokens_with_the_light_value_to_fall_back_on() -> None:
    colours = {e.get(a) for e in parsed(curve()).iter() for a in ("fill", "stroke")} - {None, "none"}
    assert colours
    assert all(str(c).startswith("var(--") and ", #" in str(c) for c in colours)


def test_the_finders_curve_marks_the_chosen_rate_on_the_curve() -> None:
    figure = curve()
    assert figure.title == "Rate 0.0015 was chosen, where the loss still falls"
    assert figure.note == "It falls."
    root = parsed(figure)
    assert "chosen: 0.0015" in texts(root)
    assert {"loss", "learning rate", "10⁻⁶", "10⁻³"} <= set(texts(root))
    (dot,) = root.iter(f"{SVG}circle")
    (line,) = root.iter(f"{SVG}polyline")
    points = [tuple(map(float, p.split(","))) for p in str(line.get("points")).split()]
    x, y = float(str(dot.get("cx"))), float(str(dot.get("cy")))
    (x0, y0), (x1, y1) = next((a, b) for a, b in itertools.pairwise(points) if a[0] <= x <= b[0])
    assert y == pytest.approx(y0 + (y1 - y0) * (x - x0) / (x1 - x0), abs=0.2)


def test_a_rate_chosen_beyond_the_lowest_loss_is_not_said_to_be_falling() -> None:
    found = finder_curve()
    figure = lr_curve(found["lrs"], found["losses"], 0.5)
    assert figure is not None
    assert figure.title == "Rate 0.5 was chosen"


def test_divergence_and_missing_losses_are_not_drawn() -> None:
    losses = [2.0, None, 1.5, 1.0, 1.2, 3.0, 400.0, math.inf, math.nan]
    points = finder_points([10.0**-i for i in range(9, 0, -1)], losses)
    assert [v for _, v in points] == [2.0, 1.5, 1.0, 1.2]


def test_a_rising_curve_is_drawn_whole() -> None:
    assert len(finder_points([1e-3, 1e-2, 1e-1], [1.0, 2.0, 3.0])) == 3


@pytest.mark.parametrize("losses", [[], [1.0], [math.nan] * 5, [None, None, 2.0]])
def test_without_two_finite_losses_there_is_no_finders_curve(losses: list[float | None]) -> None:
    assert lr_curve([1e-5, 1e-4, 1e-3, 1e-2, 1e-1][: len(losses)], losses, 1e-3) is None


def test_the_value_between_two_steps_is_straight_in_the_logarithm() -> None:
    points = [(1e-4, 2.0), (1e-2, 1.0)]
    assert value_at(points, 1e-3) == pytest.approx(1.5)
    assert value_at(points, 1e-9) == 2.0
    assert value_at(points, 1.0) == 1.0


def test_loss_curves_are_named_where_they_end_and_the_title_answers() -> None:
    figure = loss_curves(history_of(8))
    root = parsed(figure)
    assert figure is not None
    assert figure.title == "Validation loss is lowest, 1.000, after epoch 6 of 8"
    assert {"train", "validation", "0.250", "1.200", "epoch", "loss"} <= set(texts(root))
    assert len(list(root.iter(f"{SVG}polyline"))) == 2


def test_labels_of_lines_that_end_together_do_not_cover_each_other() -> None:
    rows = [{"train_loss": 1.0, "valid_loss": 2.0}, {"train_loss": 0.500, "valid_loss": 0.501}]
    heights = {
        t.text: float(str(t.get("y")))
        for t in parsed(loss_curves(rows)).iter(f"{SVG}text")
        if t.text in ("train", "validation")
    }
    assert heights["train"] - heights["validation"] >= 36


@pytest.mark.parametrize(
    ("errors", "title"),
    [
        ([0.2], "20.0 % wrong after one epoch"),
        ([0.3, 0.2], "20.0 % wrong after the last epoch, its lowest"),
        ([0.3, 0.1, 0.1, 0.2], "The error stops falling after epoch 2, at 10.0 %"),
    ],
)
def test_the_error_curves_title_says_what_happened(errors: list[float], title: str) -> None:
    figure = error_curve([{"error_rate": e} for e in errors])
    assert figure is not None
    assert figure.title.replace("\u00a0", " ") == title


def test_logs_with_gaps_are_drawn_as_far_as_they_go() -> None:
    rows = [{"train_loss": 2.0, "valid_loss": None}, {"train_loss": math.nan}, {"train_loss": 1.0, "valid_loss": None}]
    figure = loss_curves(rows)
    assert figure is not None
    assert figure.title == "Training loss ends at 1.000"
    assert "validation" not in texts(parsed(figure))
    assert loss_curves([]) is None
    assert loss_curves([{"epoch": 1}]) is None
    assert error_curve([{"error_rate": None}]) is None


def test_one_epoch_is_a_dot_and_a_thousand_have_few_ticks() -> None:
    assert not list(parsed(loss_curves(history_of(1))).iter(f"{SVG}polyline"))
    assert len(texts(parsed(loss_curves(history_of(1000))))) < 22


@pytest.mark.parametrize("classes", [2, 3, 12, 20, 37, 40])
def test_the_matrix_prints_every_count_in_its_cell(classes: int) -> None:
    rng = np.random.default_rng(classes)
    counts = rng.integers(0, 4, (classes, classes)) + np.diag(np.full(classes, 30))
    labels = [f"class {i}" for i in range(classes)]
    root = parsed(confusion_matrix(counts, labels))
    printed = [int(t.text or "") for g in root.iter(f"{SVG}g") for t in g.iter(f"{SVG}text")]
    assert printed == counts[counts > 0].tolist()
    (empty,) = root.iter(f"{SVG}path")
    assert len(list(root.iter(f"{SVG}rect"))) == (counts > 0).sum()
    assert str(empty.get("d")).count("z") == (counts == 0).sum()


def test_the_matrix_darkens_with_the_share_of_the_row() -> None:
    root = parsed(confusion_matrix(np.array([[60, 39, 1], [0, 5, 0], [0, 0, 0]]), ["a", "b", "c"]))
    steps = [int(str(g.find(f"{SVG}rect").get("fill"))[11]) for g in root.iter(f"{SVG}g")]  # type: ignore[union-attr]
    assert steps == [7, 5, 1, 8]


def test_the_matrixs_title_names_the_worst_confusion() -> None:
    labels = ["rose", "tulip"]
    assert confusion_matrix(np.array([[5, 3], [1, 5]]), labels).title == "rose was most often taken for tulip: 3 times"
    assert confusion_matrix(np.array([[5, 1], [1, 5]]), labels).title == "No pair was confused more than once"
    assert confusion_matrix(np.array([[5, 0], [0, 5]]), labels).title == "Every answer was right"


def test_above_forty_classes_the_most_mistaken_are_drawn() -> None:
    counts = np.diag(np.full(60, 5))
    counts[7, 50] = 9
    figure = confusion_matrix(counts, [f"class {i}" for i in range(60)])
    assert "Of 60 classes, the 40 with the most mistakes." in figure.note
    assert {"class 7", "class 50"} <= set(texts(parsed(figure)))


def test_hostile_class_names_stay_text_in_the_matrix() -> None:
    root = parsed(confusion_matrix(np.array([[1, 2], [0, 1]]), ["<script>alert(1)</script>", 'a"b\x00']))
    assert not list(root.iter(f"{SVG}script"))
    assert any("<script>" in t for t in texts(root))


@pytest.mark.parametrize("word", ["right", "found"])
def test_the_ruler_says_share_interval_and_guess(word: str) -> None:
    root = ElementTree.fromstring(share_ruler(0.934, (0.915, 0.951), 0.2, word).text)
    label = str(root.get("aria-label")).replace("\u00a0", " ")
    assert label == f"93.4 % {word}, between 91.5–95.1 %; always naming the commonest class would give 20.0 %"


@pytest.mark.parametrize(("share", "width"), [(0.0, "0"), (0.25, "25"), (1.0, "100"), (1.0000001, "100")])
def test_a_bar_is_as_long_as_its_share(share: float, width: str) -> None:
    bar = ElementTree.fromstring(share_bar(share).text)
    assert [r.get("width") for r in bar][1] == width
    assert bar.get("aria-hidden") == "true"


def test_ticks_are_round_and_within() -> None:
    assert axes.ticks(0, 1) == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert axes.ticks(0.3, 2.7, 4) == [1.0, 2.0]
    assert axes.ticks(1, 3, 5, whole=True) == [1, 2, 3]
    assert axes.ticks(2, 2) == [2]
    assert axes.decades(1e-7, 10) == [-7, -5, -3, -1, 1]
    assert axes.decades(2e-3, 5e-3) == []
