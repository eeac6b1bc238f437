from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

import finegraft as fg
from finegraft.inference import fastest
from finegraft.inference.fastest import answers, measured
from finegraft.runtimes import Runtime
from tests.graphs import small_graph
from tests.inference.making import predictor

X = np.zeros((8, 8, 3), np.uint8)
BOTH = ["onnxruntime", "openvino"]


@pytest.mark.parametrize("best", BOTH)
def test_the_engine_with_the_best_turn_is_taken_though_it_was_slow_in_another(best: str) -> None:
    turns = {name: iter([2.0, 5.0] if name == best else [4.0, 4.0]) for name in BOTH}
    asked: list[str] = []

    def rate(runtime: Runtime, x: np.ndarray, seconds: float) -> float:
        asked.append(runtime.name)
        return next(turns[runtime.name])

    assert measured(small_graph(), X, BOTH, 2, rate) == best
    assert asked == BOTH * 2


def test_it_is_measured_once_for_a_graph_and_a_number_of_threads(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def rate(runtime: Runtime, x: np.ndarray, seconds: float) -> float:
        asked.append(runtime.streams)
        return {"openvino": 2.0, "onnxruntime": 1.0}[runtime.name]

    monkeypatch.setattr(fastest, "answers", rate)
    graph, other = small_graph(seed=1), small_graph(seed=2)
    assert [fastest.fastest(graph, X, 2) for _ in range(3)] == ["openvino"] * 3
    assert asked == [2] * 4
    fastest.fastest(graph, X, 1)
    fastest.fastest(other, X, 2)
    assert asked == [2] * 4 + [1] * 4 + [2] * 4


def test_with_one_engine_nothing_is_measured(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fastest, "available", lambda: ["onnxruntime"])
    monkeypatch.setattr(fastest, "measured", lambda *_: pytest.fail("it was measured"))
    assert fastest.fastest(small_graph(), X) == "onnxruntime"
    assert not empty_cache.exists()


@pytest.mark.parametrize("streams", [1, 3])
def test_every_stream_is_asked_at_once_and_counted(streams: int) -> None:
    asking: set[int] = set()
    most = 0

    class Counting:
        """Notes who asks while others do."""

        def __init__(self) -> None:
            self.streams = streams

        def run(self, x: np.ndarray) -> dict[str, np.ndarray]:
            nonlocal most
            asking.add(threading.get_ident())
            most = max(most, len(asking))
            time.sleep(0.05)
            asking.discard(threading.get_ident())
            return {"scores": x}

    started = time.perf_counter()
    rate = answers(Counting(), X, 0.3)  # type: ignore[arg-type]
    assert most == streams
    assert streams <= rate * (time.perf_counter() - started) <= streams * 7.5


def test_a_damaged_cache_costs_a_measurement(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty_cache.mkdir()
    (empty_cache / "store.sqlite").write_bytes(b"no database at all" * 500)
    monkeypatch.setattr(fastest, "answers", lambda runtime, *_: {"openvino": 2.0, "onnxruntime": 1.0}[runtime.name])
    assert fastest.fastest(small_graph(), X) == "openvino"


def test_a_bundle_opens_with_what_was_measured(
    tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor().save(tmp_path / "model.fg")
    for wanted in BOTH:
        monkeypatch.setattr(fastest, "fastest", lambda *_, wanted=wanted: wanted)
        opened = fg.load(tmp_path / "model.fg", engine="fastest")
        assert opened.engines.engine == opened.engines.get("throughput").name == wanted


def test_the_processor_is_named_as_the_system_names_it(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Quick One @ 3 GHz\nmodel name\t: Quick One\n")
    assert fastest.processor(tmp_path / "cpuinfo") == "Quick One @ 3 GHz"
    assert fastest.processor(tmp_path / "none").strip()
