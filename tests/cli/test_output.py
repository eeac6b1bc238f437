from __future__ import annotations

import numpy as np

from finegraft.cli.output import headline
from finegraft.evaluation.result import Evaluation
from finegraft.targets import Category


def evaluation(matrix: list[list[int]], labels: tuple[str, ...]) -> Evaluation:
    """The evaluation with this confusion matrix, the truth in rows; every answer is given with 80 %."""
    counts = np.array(matrix)
    k = len(counts)
    truth, predicted = (index.repeat(counts.ravel()) for index in np.indices((k, k)).reshape(2, -1))
    probabilities = np.full((len(truth), k), 0.2 / (k - 1))
    probabilities[np.arange(len(truth)), predicted] = 0.8
    return Evaluation(tuple(map(str, range(len(truth)))), Category(labels), truth, probabilities)


def test_of_balanced_classes_accuracy_comes_first() -> None:
    assert headline(evaluation([[18, 2], [1, 5]], ("rose", "tulip")), "held-out") == [
        "88.5 % right (71.0 % to 96.0 %, 95 % interval) on 26 photos of the held-out part.",
        "Also: macro f1 0.846, ece 0.085, auroc 0.867, average precision 0.634.",
        "Most confused: rose taken for tulip (2 times).",
    ]


def test_of_unbalanced_classes_the_macro_figures_come_first_and_accuracy_says_why_it_does_not() -> None:
    judged = evaluation([[31, 1, 0], [0, 33, 0], [0, 1, 2]], ("black", "grizzly", "teddy\n"))
    recall, f1 = judged.metrics()["macro_recall"], judged.macro_f1
    assert recall.interval is not None
    low, high = (f"{100 * end:.1f} %" for end in recall.interval)
    assert headline(judged, "held-out") == [
        f"87.8 % found, averaged over the classes ({low} to {high}, 95 % interval; macro recall), on 68 photos of the "
        "held-out part.",
        f"Macro F1: {f1}.",
        "Weakest class: teddy\\n, 2 of 3 found (20.8 % to 93.9 %).",
        "97.1 % right in all (89.9 % to 99.2 %). This comes second because rare classes hardly count in it: "
        "teddy\\n is 3 of the 68.",
        "Also: ece 0.171.",
    ]


def test_classes_that_were_not_judged_do_not_make_the_others_unbalanced() -> None:
    lines = headline(evaluation([[9, 0, 0], [0, 0, 0], [0, 0, 3]], ("a", "b", "c")), "test")
    assert lines[0].startswith("100.0 % right")


def test_the_rarest_class_is_told_beside_the_weakest() -> None:
    lines = headline(evaluation([[30, 2, 0], [0, 33, 0], [0, 0, 3]], ("black", "grizzly", "teddy")), "test")
    assert lines[2] == (
        "Weakest class: black, 30 of 32 found (79.9 % to 98.3 %). Rarest: teddy, 3 of 3 found (43.9 % to 100.0 %)."
    )
