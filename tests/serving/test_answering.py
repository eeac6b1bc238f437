"""The queue and its workers."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from finegraft.inference.prediction import Prediction, PredictionError
from finegraft.serving.answering import Answerer, Closed, QueueFull
from tests.inference.making import predictor
from tests.making import photo
from tests.serving.making import Fixed

CONTENTS = [photo(seed) for seed in range(6)]


def test_every_file_gets_its_own_answer() -> None:
    made, answerer = predictor(), Answerer(2)
    futures = answerer.submit(made, [*CONTENTS, b"no photo"])
    answers = [future.result(30) for future in futures]
    answerer.close()
    assert [answer.label for answer in answers[:-1] if isinstance(answer, Prediction)] == [
        made.predict(content).label for content in CONTENTS
    ]
    assert isinstance(answers[-1], PredictionError)
    assert answerer.taken == 0


def test_files_of_one_model_are_computed_together_and_those_of_another_apart() -> None:
    one, other = Fixed(predictor()), Fixed(predictor())
    first: Any = Fixed(predictor())
    answerer = Answerer(1, batch=4)
    futures = answerer.submit(first, CONTENTS[:1])  # keeps the worker busy while the others gather
    while not first.sizes:
        time.sleep(0.01)
    futures += answerer.submit(one, CONTENTS[:3])  # type: ignore[arg-type]
    futures += answerer.submit(other, CONTENTS[:5])  # type: ignore[arg-type]
    for fixed in (one, other, first):
        fixed.go.set()
    assert all(future.result(30) for future in futures)
    answerer.close()
    assert (one.sizes, other.sizes) == ([3], [4, 1])


def test_a_file_waits_for_company_as_long_as_it_may() -> None:
    made = Fixed(predictor())
    made.go.set()
    answerer = Answerer(1, batch=2, wait=10)
    first = answerer.submit(made, CONTENTS[:1])  # type: ignore[arg-type]
    time.sleep(0.05)
    second = answerer.submit(made, CONTENTS[1:2])  # type: ignore[arg-type]
    assert [future.result(5) for future in first + second]
    assert made.sizes == [2]
    alone = Answerer(1, batch=2, wait=0.05)
    assert alone.submit(made, CONTENTS[:1])[0].result(5)  # type: ignore[arg-type]
    for one in (answerer, alone):
        one.close()


def test_all_files_of_a_request_are_accepted_or_none() -> None:
    made, answerer = Fixed(predictor()), Answerer(1, room=3)
    futures = answerer.submit(made, CONTENTS[:2])  # type: ignore[arg-type]
    with pytest.raises(QueueFull):
        answerer.submit(made, CONTENTS[:2])  # type: ignore[arg-type]
    assert answerer.taken == 2
    futures += answerer.submit(made, CONTENTS[:1])  # type: ignore[arg-type]
    made.go.set()
    assert all(future.result(30) for future in futures)
    answerer.close()


def test_what_was_accepted_is_answered_after_the_end_was_called() -> None:
    made, answerer = Fixed(predictor()), Answerer(1)
    futures = answerer.submit(made, CONTENTS)  # type: ignore[arg-type]
    closing = threading.Thread(target=answerer.close)
    closing.start()
    while not answerer._closed:
        time.sleep(0.01)
    with pytest.raises(Closed):
        answerer.submit(made, CONTENTS)  # type: ignore[arg-type]
    made.go.set()
    closing.join(30)
    assert all(future.done() for future in futures)


def test_a_file_with_no_other_beside_it_is_answered_by_all_processors() -> None:
    told: list[bool] = []

    class Seen(Fixed):
        def predict_batch(self, items: list[bytes], alone: bool = False) -> list[Any]:
            told.append(alone)
            return super().predict_batch(items, alone)

    made, answerer = Seen(predictor()), Answerer(1)
    futures = answerer.submit(made, CONTENTS[:1])  # type: ignore[arg-type]
    end = time.monotonic() + 30
    while not told and time.monotonic() < end:
        time.sleep(0.01)
    futures += answerer.submit(made, CONTENTS[1:3])  # type: ignore[arg-type]
    made.go.set()
    for future in futures:
        future.result(30)
    answerer.close()
    assert told == [True, False, True]


def test_an_error_inside_is_that_of_its_files_alone() -> None:
    class Broken:
        def predict_batch(self, items: list[bytes], alone: bool) -> list[Any]:  # noqa: ARG002
            raise ValueError(f"{len(items)} files")

    answerer = Answerer(1)
    (future,) = answerer.submit(Broken(), CONTENTS[:1])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="1 files"):
        future.result(30)
    assert answerer.submit(predictor(), CONTENTS[:1])[0].result(30)
    answerer.close()


def test_what_nobody_waits_for_any_more_is_not_computed() -> None:
    made, later = Fixed(predictor()), Fixed(predictor())
    later.go.set()
    answerer = Answerer(1)
    first = answerer.submit(made, CONTENTS[:1])  # type: ignore[arg-type]
    (second,) = answerer.submit(later, CONTENTS[:1])  # type: ignore[arg-type]
    assert second.cancel()
    made.go.set()
    assert first[0].result(30)
    answerer.close()
    assert later.sizes == []
    assert answerer.taken == 0
