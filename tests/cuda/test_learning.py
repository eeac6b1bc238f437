"""What learns on a card: the same answers as on a processor, and a host that is never waited for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

import finegraft as fg
from finegraft.data.dataset import Dataset
from finegraft.features.store import Store
from finegraft.inference.bundle import load
from finegraft.training.callbacks import State
from finegraft.training.learner import Learner
from finegraft.vision import assembly
from finegraft.vision.device_batches import DeviceBatches, stacked
from finegraft.vision.device_views import changed, drawn
from finegraft.vision.sets import SETS
from tests.making import folder_of_photos, scene

pytestmark = [
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA card here"),
    pytest.mark.xdist_group("cuda"),
]
CLASSES = ("daisy", "rose", "tulip")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = folder_of_photos(tmp_path_factory.mktemp("flowers"), dict.fromkeys(CLASSES, 24))
    return fg.vision.read(folder).split(valid=0.25, seed=0)


@pytest.fixture
def learner(data: Dataset, tmp_path: Path) -> Iterator[Learner]:
    with Store.open(tmp_path / "store") as store:
        made = assembly.learner(data, store=store, size=64, device="cuda", show=False, head="linear")
        made.fit_one_cycle(3)
        yield made


def test_the_whole_network_learns_from_photos_that_lie_on_the_card(learner: Learner) -> None:
    learner.unfreeze()
    assert learner._stage.tuning is not None
    assert isinstance(learner._stage.tuning._feed(), DeviceBatches)
    before = {name: value.clone() for name, value in learner.network.state_dict().items()}
    learner.fit_one_cycle(1, lr=1e-3)
    moved = [name for name, value in learner.network.state_dict().items() if not torch.equal(value, before[name])]
    assert any(name.startswith("trunk.extractor.body.blocks.0") for name in moved)
    assert any(name.startswith("head") for name in moved)


def test_the_bundle_answers_on_a_processor_as_the_card_did(learner: Learner, data: Dataset, tmp_path: Path) -> None:
    learner.unfreeze()
    learner.fit_one_cycle(1, lr=1e-3)
    evaluation = learner.evaluate()
    learner.predictor().save(tmp_path / "model.fg")
    for engine in ("onnxruntime", "openvino"):
        predictor = load(tmp_path / "model.fg", engine=engine)
        for row, record in enumerate(data.part("held-out")[:5]):
            by_label = dict(predictor.predict(data.root / record.key).ranking)
            np.testing.assert_allclose([by_label[label] for label in CLASSES], evaluation.probabilities[row], atol=1e-3)


def test_no_step_waits_for_the_card(learner: Learner) -> None:
    """Torch raises where the host would be made to wait between the second step and the last of an epoch."""

    class Strict:
        def on_batch_end(self, state: State) -> None:
            inside = 1 <= state.batch < state.batches - 1
            torch.cuda.set_sync_debug_mode("error" if inside else "default")

    learner.unfreeze()
    learner.fit_one_cycle(1, lr=1e-4)  # what is done once, is done
    learner.callbacks.append(Strict())
    try:
        learner.fit_one_cycle(1, lr=1e-4)
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("name", ["light", "standard", "strong"])
def test_photos_are_changed_there_as_here(name: str) -> None:
    photos = [np.asarray(scene(seed, (96, 96))) for seed in range(4)]
    views = [drawn(SETS[name], 0, 1, str(number), 64) for number in range(4)]
    here, there = (changed(stacked(photos, device), views, 64).cpu() for device in ("cpu", "cuda"))
    torch.testing.assert_close(here, there, atol=0.5, rtol=0)


def test_fine_tuning_happens_by_itself_on_a_card(data: Dataset, tmp_path: Path) -> None:
    with Store.open(tmp_path / "store") as store:
        made = assembly.learner(data, store=store, size=64, show=False)
        assert made.device == "cuda"
        tuned = made.fine_tune(2)
        assert tuned.network is not None
        assert np.isfinite(made.evaluate().probabilities).all()
