from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from finegraft.errors import UnreadableFile
from finegraft.features.pipeline import WINDOW, run_all
from finegraft.runtimes import Runtime, open_graph
from tests.graphs import small_graph


class Doubling:
    """A runtime that doubles its input, and remembers the batches it was given."""

    name, version, outputs, streams = "doubling", "1", ("twice",), 2

    def __init__(self, batch: int = 1) -> None:
        self.batch = batch
        self.sizes: list[int] = []

    def run(self, x: np.ndarray) -> dict[str, np.ndarray]:
        self.sizes.append(len(x))
        return {"twice": 2 * x}


def one(number: int) -> np.ndarray:
    return np.array([number])


def doubled(items: list[int], runtime: Runtime, workers: int | None = None) -> list[int]:
    return [int(out["twice"][0]) for _, out in run_all(items, one, runtime, workers) if isinstance(out, dict)]


@pytest.mark.parametrize("workers", [None, 0, 1, 2, 7])
@pytest.mark.parametrize("batch", [1, 4])
def test_results_come_in_the_order_of_the_items(workers: int | None, batch: int) -> None:
    assert doubled(list(range(50)), Doubling(batch), workers) == list(range(0, 100, 2))


def test_a_slow_first_item_still_comes_first() -> None:
    others_done = threading.Event()

    def load(number: int) -> np.ndarray:
        if number == 0:
            assert others_done.wait(30)
        if number == WINDOW * 2 - 1:
            others_done.set()
        return one(number)

    assert [item for item, _ in run_all(range(8), load, Doubling(), workers=2)] == list(range(8))


def test_outputs_are_those_of_the_engine() -> None:
    runtime = open_graph(small_graph())
    photos = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)
    wanted = runtime.run(photos)
    for i, outputs in run_all(range(6), lambda i: photos[i], runtime):
        assert isinstance(outputs, dict)
        for name in runtime.outputs:
            np.testing.assert_allclose(outputs[name], wanted[name][i], atol=1e-5)


def test_no_items_give_no_results() -> None:
    assert list(run_all([], one, Doubling())) == []


def test_items_are_taken_in_batches_and_the_last_may_be_short() -> None:
    runtime = Doubling(batch=4)
    doubled(list(range(10)), runtime)
    assert sorted(runtime.sizes) == [2, 4, 4]


def test_a_result_does_not_keep_its_batch_in_memory() -> None:
    (_, outputs), *_ = run_all(range(4), one, Doubling(batch=4))
    assert isinstance(outputs, dict)
    assert outputs["twice"].base is None


@pytest.mark.parametrize("batch", [1, 3])
def test_an_unreadable_item_is_its_own_result_and_nobody_elses(batch: int) -> None:
    def load(number: int) -> np.ndarray:
        if number % 3 == 1:
            raise UnreadableFile("empty", f"number {number} is empty")
        return one(number)

    results = list(run_all(range(9), load, Doubling(batch)))
    assert [item for item, _ in results] == list(range(9))
    for item, result in results:
        if item % 3 == 1:
            assert isinstance(result, UnreadableFile)
            assert (result.code, str(result)) == ("empty", f"number {item} is empty")
        else:
            assert isinstance(result, dict)
            assert result["twice"].tolist() == [2 * item]


def test_the_engine_is_not_asked_about_nothing() -> None:
    def load(number: int) -> np.ndarray:
        raise UnreadableFile("empty", "no bytes")

    runtime = Doubling(batch=2)
    assert len(list(run_all(range(4), load, runtime))) == 4
    assert runtime.sizes == []


def test_any_other_error_is_raised_after_the_results_before_it() -> None:
    def load(number: int) -> np.ndarray:
        if number == 3:
            raise MemoryError("three is too much")
        return one(number)

    answers = run_all(range(100), load, Doubling(), workers=2)
    assert [item for item, _ in itertools.islice(answers, 3)] == [0, 1, 2]
    with pytest.raises(MemoryError, match="three is too much"):
        next(answers)
    assert threads_of_the_pipeline() == []


@pytest.mark.parametrize("batch", [1, 3])
def test_memory_is_bounded_so_the_items_may_be_endless(batch: int) -> None:
    taken = itertools.count()
    answers = run_all(taken, one, Doubling(batch), workers=2)
    for expected in range(60):
        item, _ = next(answers)
        assert item == expected
    answers.close()
    assert next(taken) <= 60 + (WINDOW * 2 + 1) * batch


def threads_of_the_pipeline() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("finegraft-pipeline")]


def test_leaving_early_leaves_no_thread_and_loads_no_more() -> None:
    loaded = []

    def load(number: int) -> np.ndarray:
        loaded.append(number)
        return one(number)

    for item, _ in (answers := run_all(itertools.count(), load, Doubling(), workers=2)):
        if item == 5:
            break
    answers.close()
    assert threads_of_the_pipeline() == []
    count = len(loaded)
    assert count <= 6 + WINDOW * 2
    assert len(loaded) == count


def test_an_interrupt_while_items_are_listed_passes_through() -> None:
    def items() -> Iterator[int]:
        yield from range(3)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run_all(items(), one, Doubling(), workers=2))
    assert threads_of_the_pipeline() == []


def test_an_answer_does_not_wait_for_a_slow_source() -> None:
    """The source gives its second item only after the answer for the first has been fetched."""
    first_answered = threading.Event()

    def items() -> Iterator[int]:
        yield 0
        assert first_answered.wait(30)
        yield 1

    answers = run_all(items(), one, Doubling(), workers=2)
    assert next(answers)[0] == 0
    first_answered.set()
    assert [item for item, _ in answers] == [1]


def test_leaving_does_not_wait_for_a_source_that_waits() -> None:
    for_ever = threading.Event()

    def items() -> Iterator[int]:
        yield 0
        for_ever.wait(60)

    answers = run_all(items(), one, Doubling(), workers=2)
    next(answers)
    answers.close()
    assert threads_of_the_pipeline() == []
    assert not for_ever.is_set()
    for_ever.set()


def test_loading_and_running_overlap() -> None:
    """Item 1 is loaded while item 0 is inside the engine: the engine waits for that and would wait for ever alone."""
    loading_second = threading.Event()

    class Waiting(Doubling):
        def run(self, x: np.ndarray) -> dict[str, np.ndarray]:
            assert x[0, 0] != 0 or loading_second.wait(30)
            return super().run(x)

    def load(number: int) -> np.ndarray:
        if number == 1:
            loading_second.set()
        return one(number)

    assert len(list(run_all(range(4), load, Waiting(), workers=2))) == 4
