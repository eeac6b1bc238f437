from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from finegraft.evaluation.result import Evaluation
from finegraft.evaluation.slices import slices
from finegraft.targets import Category

K = 4


def judged(
    right: np.ndarray,
    truth: np.ndarray,
    traits: dict[str, np.ndarray],
    groups: tuple[str, ...] = (),
) -> Evaluation:
    predicted = np.where(right, truth, (truth + 1) % K)
    probabilities = np.where(np.arange(K) == predicted[:, None], 0.91, 0.03)
    keys = tuple(f"{i}.jpg" for i in range(len(truth)))
    return Evaluation(keys, Category(tuple("abcd")), truth, probabilities, groups, traits)


def simulated(seed: int, *, n: int = 240, worse: float = 0.0, groups: int = 0, alike: float = 0.0) -> Evaluation:
    """Records whose classes differ in how hard they are and in their traits; those of "camera is right" are right less
    often by `worse`. With `groups` every trait is one of the group's, and its answers are `alike`.
    """
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, K, n)
    group = rng.integers(0, groups, n) if groups else np.arange(n)
    camera = rng.choice(["left", "right"], group.max() + 1, p=[0.7, 0.3]).astype(object)[group]
    brightness = rng.random(group.max() + 1)[group] + 0.2 * truth
    folder = np.array(["easy", "hard"], dtype=object)[
        (rng.random(n) < np.array([0.1, 0.3, 0.7, 0.9])[truth]).astype(int)
    ]
    logits = np.array([3.5, 2.5, 2, 1])[truth] + rng.normal(0, alike, group.max() + 1)[group]
    right = rng.random(n) < 1 / (1 + np.exp(-logits)) - worse * (camera == "right")
    traits = {"camera": camera, "brightness": brightness, "folder": folder}
    return judged(right, truth, traits, tuple(map(str, group)) if groups else ())


def naming(evaluations: list[Evaluation]) -> int:
    """How many evaluations name any slice."""
    return sum(any(one.stands_out for one in slices(evaluation)) for evaluation in evaluations)


def test_where_no_trait_matters_at_most_five_of_a_hundred_name_a_slice() -> None:
    assert naming([simulated(seed) for seed in range(200)]) <= 10


def test_records_that_hang_together_do_not_make_a_slice_stand_out() -> None:
    evaluations = [simulated(seed, n=480, groups=40, alike=2.0) for seed in range(100)]
    assert naming(evaluations) <= 5
    alone = [judged(e.truth == e.predicted, e.truth, dict(e.traits)) for e in evaluations[:40]]
    assert naming(alone) >= 10, "taken for independent they would"


def test_what_is_really_worse_is_found_and_comes_first() -> None:
    found = [slices(simulated(seed, n=500, worse=0.25))[0] for seed in range(40)]
    assert sum((one.words, one.stands_out) == ("camera is right", True) for one in found) >= 36
    found = [slices(simulated(seed, n=800, worse=0.3, groups=100, alike=0.7))[0] for seed in range(20)]
    assert sum((one.words, one.stands_out) == ("camera is right", True) for one in found) >= 17


def test_the_numbers_of_a_slice() -> None:
    truth = np.repeat([0, 1], 100)
    camera = np.array((["left"] * 40 + ["right"] * 60) * 2, dtype=object)
    right = np.ones(200, dtype=bool)
    right[:20] = False  # 20 of 40 of class a on the left
    right[40:46] = False  # 6 of 60 of class a on the right
    worst, best = slices(judged(right, truth, {"camera": camera}))
    assert (worst.trait, worst.words, worst.n) == ("camera", "camera is left", 80)
    assert worst.accuracy.value == 0.75
    assert worst.rest == pytest.approx(1 - 40 * 0.1 / 80)
    assert worst.difference == pytest.approx(0.75 - worst.rest)
    assert worst.p == pytest.approx(stats.hypergeom(100, 26, 40).sf(19))
    assert worst.adjusted == pytest.approx(2 * worst.p)
    assert worst.stands_out
    assert (best.words, best.stands_out, best.adjusted) == ("camera is right", False, best.p)
    assert worst.to_json() == {
        "trait": "camera",
        "slice": "camera is left",
        "n": 80,
        "accuracy": 0.75,
        "interval": list(worst.accuracy.interval or ()),
        "rest": worst.rest,
        "p": worst.p,
        "p_adjusted": worst.adjusted,
        "stands_out": True,
    }


def test_too_few_records_too_few_others_and_classes_of_one_side_are_no_slices() -> None:
    truth, right = np.repeat([0, 1], 30), np.arange(60) % 5 > 0
    small = np.array(["few"] * 19 + ["many"] * 41, dtype=object)
    assert slices(judged(right, truth, {"camera": small})) == []
    own = np.array(["first"] * 30 + ["second"] * 30, dtype=object)
    assert slices(judged(right, truth, {"folder": own})) == [], "a folder that is a class has none to compare with"
    one = np.array(["left"] * 60, dtype=object)
    assert slices(judged(right, truth, {"camera": one, "unknown": np.full(60, np.nan)})) == []
    assert slices(judged(right, truth, {})) == []


def test_a_slice_of_few_groups_proves_nothing() -> None:
    camera = np.array(["left", "right"] * 60, dtype=object)
    truth, right = np.arange(120) // 2 % K, np.arange(120) % 3 > 0
    groups = tuple(str(i) if name == "right" else f"left {i % 14 // 2}" for i, name in enumerate(camera))
    assert slices(judged(right, truth, {"camera": camera}, groups)) == []
    more = tuple(str(i) if name == "right" else f"left {i % 16 // 2}" for i, name in enumerate(camera))
    assert len(slices(judged(right, truth, {"camera": camera}, more))) == 2


def test_a_saved_evaluation_has_the_same_slices(tmp_path: Path) -> None:
    evaluation = simulated(5, worse=0.2, groups=60)
    evaluation.save(tmp_path / "evaluation.jsonl")
    assert slices(Evaluation.load(tmp_path / "evaluation.jsonl", evaluation.target)) == slices(evaluation)
