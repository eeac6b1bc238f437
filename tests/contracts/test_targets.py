"""One suite over every kind of target: what is learned, packed, answered, judged and reported says the same."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import finegraft as fg
from finegraft.evaluation.kinds import AnyEvaluation
from finegraft.inference.bundle import TOLERANCE, load
from finegraft.inference.prediction import AnyPrediction
from finegraft.runtimes import ENGINES
from finegraft.targets import Category, Number, Tags, Target
from finegraft.training.learner import Learner
from tests.spotted import spotted

COLUMNS = {"category": "side", "tags": "red,green,blue", "number": "light"}
KINDS: dict[str, type[Any]] = {"category": Category, "tags": Tags, "number": Number}


@dataclass(frozen=True)
class Taught:
    """A learner of one kind of target with its bundle and what it was judged by."""

    learner: Learner
    bundle: Path
    evaluation: AnyEvaluation

    @property
    def target(self) -> Target:
        return self.learner.target

    @property
    def judged(self) -> list[Path]:
        return [self.learner.data.root / key for key in self.evaluation.keys]


@pytest.fixture(scope="module", params=list(COLUMNS))
def taught(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, surroundings: Path) -> Taught:
    folder = tmp_path_factory.mktemp(request.param)
    data = fg.vision.read(spotted(folder), path="file", target=COLUMNS[request.param]).split(valid=0.3, seed=0)
    learner = fg.vision.learner(data, size=64, head="linear", device="cpu", show=False)
    learner.fit_one_cycle(12)
    learner.predictor().save(folder / "model.fg")
    return Taught(learner, folder / "model.fg", learner.evaluate())


def values(answer: AnyPrediction, target: Target) -> list[float]:
    """The probability of every label in order, or the number in units of the spread of those learned."""
    if isinstance(answer, fg.NumberPrediction):
        return [answer.value]
    assert not isinstance(target, Number)
    by_label = dict(answer.ranking)
    return [by_label[label] for label in target.labels]


def judged(evaluation: AnyEvaluation) -> np.ndarray:
    found = evaluation.predicted[:, None] if isinstance(evaluation, fg.NumberEvaluation) else evaluation.probabilities
    return np.asarray(found)


def test_the_target_is_found_from_the_table_and_kept_in_the_bundle(taught: Taught, request: Any) -> None:
    assert type(taught.target) is KINDS[taught.target.kind]
    assert load(taught.bundle).target == taught.target


def test_something_was_learned(taught: Taught) -> None:
    found = taught.evaluation.metrics()
    if isinstance(taught.target, Category):
        assert found["accuracy"].value > 0.9
    elif isinstance(taught.target, Tags):
        assert found["micro_f1"].value > 0.7
        assert found["macro_auroc"].value > 0.85
    else:
        assert found["r2"].value > 0.7


@pytest.mark.parametrize("engine", ENGINES)
def test_learner_and_bundle_answer_alike_on_every_engine(taught: Taught, engine: str) -> None:
    predictor = load(taught.bundle, engine=engine)
    answers = list(predictor.predict_many(taught.judged))
    got = np.array([values(answer, taught.target) for answer in answers])  # type: ignore[arg-type]
    np.testing.assert_allclose(got / predictor.spread, judged(taught.evaluation) / predictor.spread, atol=TOLERANCE)
    alone = predictor.predict(taught.judged[0])
    np.testing.assert_allclose(values(alone, taught.target), got[0], atol=TOLERANCE * predictor.spread)


def test_the_answers_are_those_that_were_judged(taught: Taught) -> None:
    """The same labels, by the same thresholds; not only the same numbers."""
    predictor = load(taught.bundle)
    for row, answer in enumerate(predictor.predict_many(taught.judged)):
        if isinstance(answer, fg.TagsPrediction):
            assert isinstance(taught.evaluation, fg.TagsEvaluation)
            assert {label for label, _ in answer.labels} == set(taught.evaluation.tags_of(row, answered=True))
        elif isinstance(answer, fg.Prediction):
            assert isinstance(taught.evaluation, fg.Evaluation)
            assert answer.label == taught.evaluation.labels[int(taught.evaluation.predicted[row])]
        else:
            assert isinstance(answer, fg.NumberPrediction)
            assert answer.interval is not None
            assert answer.interval[0] < answer.value < answer.interval[1]


def test_a_bundle_whose_model_answers_otherwise_is_refused(taught: Taught, tmp_path: Path) -> None:
    from tests.inference.making import changed

    def lie(stored: dict[str, Any]) -> None:
        for sample in stored["samples"]:
            if "value" in sample:
                sample["value"] += stored["spread"]
            else:
                sample["probabilities"] = sample["probabilities"][::-1]

    copy = tmp_path / "model.fg"
    copy.write_bytes(taught.bundle.read_bytes())
    with pytest.raises(fg.FinegraftError, match="it answers differently here: for its sample"):
        load(changed(copy, lie))


def test_the_card_says_what_it_answers(taught: Taught) -> None:
    from tests.inference.making import entries_of

    card = entries_of(taught.bundle)["card.md"].decode()
    wanted = {"category": "# 2 classes from lite0", "tags": "# 3 tags from lite0", "number": "# A number from lite0"}
    assert card.startswith(wanted[taught.target.kind])
    for name in taught.evaluation.metrics():
        assert name.replace("_", "\\_") in card


def test_the_report_of_the_evaluation_and_its_notebook_sheet_are_drawn(taught: Taught, tmp_path: Path) -> None:
    page = fg.report(taught.evaluation, tmp_path / "report.html").read_text()
    assert page.startswith("<!doctype html>")
    assert taught.evaluation._repr_html_()
    assert load(taught.bundle).predict(taught.judged[0])._repr_html_()


def test_the_same_data_and_seed_give_the_same_bundle(taught: Taught, tmp_path: Path) -> None:
    again = fg.vision.learner(taught.learner.data, size=64, head="linear", device="cpu", show=False)
    again.fit_one_cycle(12)
    again.predictor().save(tmp_path / "model.fg")
    assert (tmp_path / "model.fg").read_bytes() == taught.bundle.read_bytes()
