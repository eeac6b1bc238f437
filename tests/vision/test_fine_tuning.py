"""The network learns too: on small photos, with lite0 and with random weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import sem

import finegraft as fg
from finegraft.data.dataset import Dataset
from finegraft.errors import DataError, UsageError
from finegraft.features.store import Store
from finegraft.inference.bundle import load
from finegraft.training.learner import Learner
from finegraft.training.plan import Plan
from finegraft.vision import assembly
from finegraft.vision.changing import Changing
from finegraft.vision.grafting import PhotoGrafting
from finegraft.vision.preprocess import Preprocess
from tests.making import folder_of_photos
from tests.models.making import frozen

# One worker makes the graphs, not each of them.
pytestmark = pytest.mark.xdist_group("fine-tuning")
CLASSES = ("daisy", "rose", "tulip")
SIZE = 64


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("store")) as kept:
        yield kept


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = folder_of_photos(tmp_path_factory.mktemp("flowers"), dict.fromkeys(CLASSES, 24))
    return fg.vision.read(folder).split(valid=0.25, seed=0)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Enough of them that ten are kept aside."""
    folder = folder_of_photos(tmp_path_factory.mktemp("many"), dict.fromkeys(CLASSES, 50))
    return fg.vision.read(folder).split(valid=0.25, seed=0)


def learner(data: Dataset, store: Store, epochs: int = 1, **options: Any) -> Learner:
    """One whose head has learned a little."""
    made = assembly.learner(
        data, store=store, **{"size": SIZE, "device": "cpu", "show": False, "head": "linear", **options}
    )
    made.fit_one_cycle(epochs)
    return made


def origin(made: Learner) -> PhotoGrafting:
    assert isinstance(made.origin, PhotoGrafting)
    return made.origin


def tuned_by_hand(made: Learner, n: int) -> Learner:
    made.freeze_to(n)
    made.fit_one_cycle(1, lr=slice(1e-4, 1e-3))
    return made


@pytest.mark.parametrize("n", [-3, 0])
def test_the_bundle_answers_as_the_network_that_learned(data: Dataset, store: Store, n: int, tmp_path: Path) -> None:
    """Upper part or whole: torch as it stands, the learner's evaluation and the bundle from disk say the same."""
    made = tuned_by_hand(learner(data, store), n)
    records = data.part("held-out")
    evaluation = made.evaluate()
    made.predictor().save(tmp_path / "model.fg")
    assert load(tmp_path / "model.fg").description["backbone"]["fine_tuned"] is True
    for engine in ("onnxruntime", "openvino"):
        predictor = load(tmp_path / "model.fg", engine=engine)
        for row, record in enumerate(records[:4]):
            by_label = dict(predictor.predict(data.root / record.key).ranking)
            got = [by_label[label] for label in CLASSES]
            np.testing.assert_allclose(got, evaluation.probabilities[row], atol=1e-3)
    assert made._stage.tuning is not None
    network = made._stage.tuning.scores(records).numpy() / made.calibration.temperature  # type: ignore[union-attr]
    by_torch = torch.from_numpy(network).softmax(1).numpy()
    np.testing.assert_allclose(by_torch, evaluation.probabilities, atol=5e-3)  # maps are kept in half precision


def test_what_learned_is_another_graph_and_the_frozen_one_stays(data: Dataset, store: Store) -> None:
    made = learner(data, store)
    before, frozen_scores = origin(made).body.digest, made.evaluate().probabilities
    tuned_by_hand(made, -3)
    settled = made._stage.answering()
    assert settled is not None
    assert settled.origin.body.digest != before == origin(made).body.digest  # type: ignore[attr-defined]
    assert not np.allclose(made.evaluate().probabilities, frozen_scores, atol=1e-4)


def test_equal_seeds_give_equal_networks_bit_for_bit_whatever_the_workers(data: Dataset, store: Store) -> None:
    found = [tuned_by_hand(learner(data, store, workers=workers), -3).evaluate().probabilities for workers in (1, 2)]
    assert np.array_equal(*found)


def test_records_that_are_judged_or_kept_aside_are_never_learned_from(data: Dataset, store: Store) -> None:
    made = tuned_by_hand(learner(data, store), -3)
    assert made._stage.tuning is not None
    learned = {record.key for record in made._stage.tuning.learn.records}
    aside = {record.key for record in made._stage.tuning.aside.records}
    judged = {record.key for record in data.part("held-out")}
    assert learned | aside == {record.key for record in data.part("train")}
    assert not learned & aside
    assert not (learned | aside) & judged
    assert {record.label for record in made._stage.tuning.aside.records} == set(CLASSES)


def test_with_validation_and_test_given_validation_is_kept_aside(tmp_path: Path, store: Store) -> None:
    for part, each in (("train", 8), ("validation", 3), ("test", 3)):
        folder_of_photos(tmp_path / part, dict.fromkeys(CLASSES, each))
    given = fg.vision.read(tmp_path).split()
    made = tuned_by_hand(learner(given, store), -3)
    assert made._stage.tuning is not None
    assert {record.split for record in made._stage.tuning.aside.records} == {"validation"}
    assert len(made._stage.tuning.learn.records) == 24


def test_calibration_comes_from_those_kept_aside_and_growth_from_the_frozen_backbone(
    data: Dataset, store: Store
) -> None:
    made = learner(data, store)
    out_of_fold = made.calibration
    tuned_by_hand(made, -3)
    assert made._stage.tuning is not None
    assert len(made.calibration.truth) == len(made._stage.tuning.aside.records) < len(out_of_fold.truth)
    assert made._out_of_fold is out_of_fold


def test_weights_of_a_network_are_saved_and_gone_on_from(data: Dataset, store: Store, tmp_path: Path) -> None:
    made = tuned_by_hand(learner(data, store), -3)
    made.save(tmp_path / "network.safetensors")
    other = learner(data, store)
    other.load(tmp_path / "network.safetensors")
    assert np.array_equal(other.evaluate().probabilities, made.evaluate().probabilities)
    other.fit_one_cycle(1, lr=1e-4)
    assert other._stage.tuning is not None


@pytest.mark.parametrize("n", [None, -3])
def test_asked_twice_the_mean_of_the_photo_and_its_mirror_image_answers(
    data: Dataset, store: Store, n: int | None, tmp_path: Path
) -> None:
    """Of photos that are their own mirror image both say the same; of others the mean lies between them."""
    made = learner(data, store)
    if n is not None:
        tuned_by_hand(made, n)
    once, twice = made.evaluate().probabilities, made.evaluate(tta=True).probabilities
    assert not np.allclose(once, twice, atol=1e-4)
    flipped = tmp_path / "mirrored"
    for record in data.part("held-out"):
        (flipped / record.key).parent.mkdir(parents=True, exist_ok=True)
        Image.open(data.root / record.key).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(
            (flipped / record.key).with_suffix(".png")
        )
    predictor = made.predictor()
    for row, record in enumerate(data.part("held-out")[:4]):
        pair = [data.root / record.key, (flipped / record.key).with_suffix(".png")]
        logs = [[np.log(dict(predictor.predict(path).ranking)[label]) for label in CLASSES] for path in pair]
        wanted = np.exp(np.mean(logs, axis=0))
        np.testing.assert_allclose(twice[row], wanted / wanted.sum(), atol=0.02)  # saved from the decoded photo


@pytest.mark.parametrize(("n", "mix"), [(-3, "mixup"), (0, "cutmix")])
def test_photos_are_mixed_while_the_network_learns(data: Dataset, store: Store, n: int, mix: str) -> None:
    mixed, plain = (tuned_by_hand(learner(data, store, mix=how), n) for how in (mix, None))
    assert mixed.history.rows[-1].train_loss != plain.history.rows[-1].train_loss
    assert np.isfinite(mixed.evaluate().probabilities).all()


def test_every_further_training_is_another_look(data: Dataset, store: Store) -> None:
    made = learner(data, store)
    made.evaluate()
    tuned_by_hand(made, -3)
    made.evaluate()
    assert made.evaluate().looks == made.looks == 2


def test_fine_tune_says_first_what_it_will_do_and_keeps_what_is_better(many: Dataset, store: Store) -> None:
    made, said = learner(many, store, epochs=3), []
    tuned = made.fine_tune(2, say=said.append)
    assert made.tuned is tuned
    assert said[0].startswith("Fine-tuning for 2 epochs, about ")
    assert said[0].endswith(": as many epochs as were asked for.")
    assert tuned.learned + tuned.asked == len(many.part("train"))
    assert tuned.network is not None
    assert tuned.head is not None
    assert tuned.asked >= 10
    gain = tuned.head.losses - tuned.network.losses
    assert tuned.better == (gain.mean() > sem(gain, ddof=0)) == (made._stage.tuning is not None)
    rows = made.history.rows[-2:]
    assert tuned.network.loss == pytest.approx(
        min(row.valid_loss for row in rows if row.valid_loss is not None), abs=1e-5
    )
    assert tuned.best_epoch in {1, 2}


def test_a_network_that_is_worse_is_not_used(many: Dataset, store: Store) -> None:
    made = learner(many, store, epochs=3)
    before = made.evaluate().probabilities
    tuned = made.fine_tune(1, lr=10.0)  # tears everything apart
    assert not tuned.better
    assert tuned.to_json()["better"] is False
    assert np.array_equal(made.evaluate().probabilities, before)


def test_a_network_that_diverges_is_not_used_and_the_reason_is_said(many: Dataset, store: Store) -> None:
    made = learner(many, store, epochs=3)
    before, rate = made.evaluate().probabilities, made.lr
    tuned = made.fine_tune(2, lr=1e30)
    assert (tuned.better, tuned.network, tuned.plan.epochs) == (False, None, 0)
    assert tuned.sentence.startswith("No fine-tuning: the loss is no longer finite at epoch 1, step ")
    assert np.array_equal(made.evaluate().probabilities, before)
    assert made.lr == rate


def test_without_time_nothing_is_done_and_said_so(many: Dataset, store: Store) -> None:
    made, said = learner(many, store), []
    before = made.evaluate().probabilities
    tuned = made.fine_tune(left=0.001, say=said.append)
    assert tuned.plan.epochs == 0
    assert tuned.network is None
    assert said == [f"No fine-tuning: {tuned.plan.reason}."]
    assert np.array_equal(made.evaluate().probabilities, before)


def test_with_few_kept_aside_nothing_is_trained_and_the_reason_is_said(data: Dataset, store: Store) -> None:
    made, said = learner(data, store), []
    before = made.evaluate().probabilities
    tuned = made.fine_tune(2, say=said.append)
    assert (tuned.better, tuned.head, tuned.network) == (False, None, None)
    assert said == [tuned.sentence]
    assert tuned.sentence == (
        f"No fine-tuning: by {tuned.asked} records kept aside nobody can tell whether it is better; it takes 10."
    )
    assert np.array_equal(made.evaluate().probabilities, before)


def test_the_engine_torch_computes_maps_too(data: Dataset, store: Store) -> None:
    by_torch = tuned_by_hand(learner(data, store, engine="torch"), -3).evaluate().probabilities
    by_openvino = tuned_by_hand(learner(data, store), -3).evaluate().probabilities
    np.testing.assert_allclose(by_torch, by_openvino, atol=0.02)


@pytest.mark.parametrize(("given", "said"), [({"optimizer": "adanw"}, "adanw"), ({"mix": "mixdown"}, "mixdown")])
def test_an_unknown_manner_is_refused_before_features_are_computed(
    data: Dataset, store: Store, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        assembly.learner(data, store=store, **given)


def test_an_optimizer_by_name_learns(data: Dataset, store: Store) -> None:
    sgd, adamw = (tuned_by_hand(learner(data, store, optimizer=name), -3) for name in ("SGD", "adamw"))
    assert sgd.history.rows[-1].train_loss != adamw.history.rows[-1].train_loss


def test_fine_tuning_trains_the_head_where_nobody_did(data: Dataset, store: Store) -> None:
    made = assembly.learner(data, store=store, size=SIZE, device="cpu", show=False, head="linear")
    assert isinstance(made.fine_tune(1).plan, Plan)
    assert len(made._fits) == 1


def test_finding_the_rate_works_at_every_stage_and_changes_nothing(data: Dataset, store: Store) -> None:
    made = learner(data, store)
    for n in (-3, -1):
        made.freeze_to(n)
        before = {name: value.clone() for name, value in made.network.state_dict().items()}
        assert made.find_lr().suggestion > 0
        assert all(torch.equal(value, before[name]) for name, value in made.network.state_dict().items())
        made.fit_one_cycle(1)
    made.freeze()
    made.find_lr()


def test_freezing_below_goes_on_from_where_the_upper_part_stands(data: Dataset, store: Store) -> None:
    """From the upper part to the whole network: the first scores are those the upper part ended with."""
    made = tuned_by_hand(learner(data, store), -3)
    ended = made.evaluate().probabilities
    assert made._stage.tuning is not None
    upper = made._stage.tuning
    made.unfreeze()
    assert made._stage.tuning is not upper
    assert np.array_equal(made.evaluate().probabilities, ended)
    records = data.part("held-out")
    now = made._stage.tuning.scores(records).numpy()
    np.testing.assert_allclose(now, upper.scores(records).numpy(), atol=0.05)
    assert len(made._stage.tuning.learning) == len(made._stage.tuning.groups)
    made.fit_one_cycle(1, lr=slice(1e-6, 1e-5))
    np.testing.assert_allclose(made.evaluate().probabilities.argmax(1), ended.argmax(1))


def test_a_transformer_learns_from_the_photos_on(data: Dataset, store: Store) -> None:
    made = learner(data, store, backbone="timm:vit_tiny_patch16_224", weights="none")
    assert origin(made).usual == 0
    made.freeze_to(-2)
    made.fit_one_cycle(1, lr=1e-4)
    assert made.evaluate().probabilities.shape == (len(data.part("held-out")), 3)


def test_stages_below_the_cut_are_learned_from_too(data: Dataset, store: Store) -> None:
    made = learner(data, store, backbone="timm:resnet18", weights="none")
    tuned_by_hand(made, 4)  # layer4, above the cut
    assert made._stage.tuning is not None
    network = made._stage.tuning.scores(data.part("held-out")).softmax(1).argmax(1).numpy()
    assert np.array_equal(made.evaluate().probabilities.argmax(1), network)


def test_the_head_must_learn_first(data: Dataset, store: Store) -> None:
    made = assembly.learner(data, store=store, size=SIZE, device="cpu", show=False, head="linear")
    with pytest.raises(UsageError, match="The head must learn before the network does") as caught:
        made.unfreeze()
    assert caught.value.mend == "Call fit_one_cycle first."


@pytest.mark.parametrize("n", [9, -10])
def test_a_group_that_is_none_is_refused(data: Dataset, store: Store, n: int) -> None:
    with pytest.raises(UsageError, match=f"There are 9 groups of layers, so none can be number {n}"):
        learner(data, store).freeze_to(n)


def test_a_frozen_graph_cannot_learn(data: Dataset, store: Store, tmp_path: Path) -> None:
    path = frozen(tmp_path / "theirs.onnx")
    made = learner(data, store, backbone=str(path), size=16)
    with pytest.raises(UsageError, match=r"is a frozen graph, which cannot learn") as caught:
        made.unfreeze()
    assert caught.value.mend == "Use lite0, lite2 or timm:NAME to fine-tune."
    with pytest.raises(UsageError, match=r"is a frozen graph, which cannot learn"):
        made.fine_tune(1)


def test_a_photo_that_vanishes_while_it_is_learned_from_is_named(tmp_path: Path, store: Store) -> None:
    folder = folder_of_photos(tmp_path / "flowers", dict.fromkeys(CLASSES, 10))
    read = fg.vision.read(folder).split(valid=0.3, seed=0)
    made = learner(read, store)
    gone = made._stage.ground.learn.records[3]
    (folder / gone.key).unlink()
    made.freeze_to(-3)
    with pytest.raises(DataError, match=f"{gone.key} could be read before, and cannot be now"):
        made.fit_one_cycle(1)


def test_a_learner_without_photos_has_nothing_to_unfreeze() -> None:
    from tests.training.making import learner as of_features

    made = of_features()
    made.fit_one_cycle(1)
    with pytest.raises(UsageError, match="There is no backbone here that could learn, only features"):
        made.unfreeze()


def test_changed_photos_are_those_of_the_content_not_of_the_name(data: Dataset, store: Store) -> None:
    grafting = origin(learner(data, store))
    record = data.usable[0]
    content = (data.root / record.key).read_bytes()
    wanted = Changing(Preprocess(SIZE), 0).load(content, record.digest, 2)
    assert np.array_equal(grafting.changed(record, 2), wanted)


@pytest.mark.parametrize("n", [0, -3])
@pytest.mark.parametrize("augment", ["light", "strong", "rand"])
def test_changed_photos_are_the_same_bit_for_bit_with_0_1_and_2_workers(
    data: Dataset, store: Store, n: int, augment: str
) -> None:
    """The real photos by the real way, of the whole network and of the upper part."""
    records, found = data.part("train")[:12], []
    for workers in (0, 1, 2):
        trunk, _ = origin(learner(data, store, augment=augment, workers=workers)).trunk(n)
        feed = trunk.feed(records, torch.arange(len(records)), batch_size=5, seed=3, epochs=2)
        found.append([batch for epoch in (0, 1) for batch in feed.epoch(epoch)])
    for others in found[1:]:
        for (inputs, truth), (wanted, wanted_truth) in zip(others, found[0], strict=True):
            assert torch.equal(truth, wanted_truth)
            for got, right in zip(_tensors(inputs), _tensors(wanted), strict=True):
                assert torch.equal(got, right)
    first, second = _tensors(found[0][0][0])[0], _tensors(found[0][len(found[0]) // 2][0])[0]
    assert not torch.equal(first, second)


def _tensors(inputs: Any) -> tuple[torch.Tensor, ...]:
    return inputs if isinstance(inputs, tuple) else (inputs,)


@pytest.mark.parametrize("n", [0, -3])
def test_with_progressive_resizing_photos_grow_and_the_last_are_those_that_are_judged(
    data: Dataset, store: Store, n: int
) -> None:
    made = learner(data, store, resize_from=32)
    seen: list[int] = []
    made.freeze_to(n)
    assert made._stage.tuning is not None
    trunk = made._stage.tuning.trunk
    feed, plain = (trunk.feed(data.usable[:6], torch.arange(6), 3, 0, epochs) for epochs in (4, None))
    for epoch in range(4):
        batches = [_tensors(inputs)[0] for inputs, _ in feed.epoch(epoch)]
        assert len(batches) == len(feed) == 2
        seen.append(batches[0].shape[2])
    full = _tensors(next(iter(plain.epoch(0)))[0])[0].shape[2]
    assert seen == [full // 2, full // 2, full, full]  # 32, 32, 64 and 64 pixels, or maps of these
    assert trunk.efforts(4) == [0.25, 0.25, 1, 1]
    made.fit_one_cycle(2, lr=1e-3)
    assert np.isfinite(made.evaluate().probabilities).all()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"resize_from": 16}, "Photos to begin with have 32 to 63 pixels where the last have 64, got 16"),
        ({"resize_from": 64}, "have 32 to 63 pixels where the last have 64, got 64"),
        ({"resize_from": 32, "backbone": "timm:vit_tiny_patch16_224", "weights": "none"}, "photos of one size only"),
    ],
)
def test_a_size_to_begin_with_that_cannot_be_is_refused(
    data: Dataset, store: Store, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        learner(data, store, **given)


def test_random_weights_learn_from_the_lowest_layer_up_with_averages_of_their_own(
    data: Dataset, store: Store, tmp_path: Path
) -> None:
    made = learner(data, store, backbone="timm:resnet18", weights="none")
    assert origin(made).usual == 0 < origin(learner(data, store)).usual
    before = {name: value.clone() for name, value in origin(made).body.extractor().body.state_dict().items()}
    tuned_by_hand(made, origin(made).usual)
    settled = made._stage.answering()
    assert settled is not None
    after = settled.origin.body.extractor().body.state_dict()  # type: ignore[attr-defined]
    moved = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert {"conv1.weight", "bn1.running_mean", "layer4.1.bn2.running_var", "layer4.1.conv2.weight"} <= moved
    made.predictor().save(tmp_path / "model.fg")
    predictor, evaluation = load(tmp_path / "model.fg"), made.evaluate()
    for row, record in enumerate(data.part("held-out")[:3]):
        by_label = dict(predictor.predict(data.root / record.key).ranking)
        np.testing.assert_allclose([by_label[label] for label in CLASSES], evaluation.probabilities[row], atol=1e-3)


def test_a_learner_that_was_fine_tuned_asks_for_its_rate_anew(many: Dataset, store: Store) -> None:
    made = learner(many, store, epochs=2)
    made.find_lr()
    rate = made.lr
    made.fine_tune(1)
    assert (made.curve, made.lr) == (None, rate)


def test_a_fine_tuning_that_is_interrupted_leaves_the_head_to_answer(many: Dataset, store: Store) -> None:
    class Interrupting:
        def on_batch_end(self, state: Any) -> None:  # noqa: ARG002
            raise KeyboardInterrupt

    made = learner(many, store, epochs=2)
    before, rate = made.evaluate().probabilities, made.lr
    made.callbacks.append(Interrupting())
    with pytest.raises(KeyboardInterrupt):
        made.fine_tune(2)
    assert made._stage.tuning is None
    assert made.lr == rate
    assert np.array_equal(made.evaluate().probabilities, before)


def test_an_optimizer_whose_rate_nobody_knows_asks_the_finder(many: Dataset, store: Store) -> None:
    rates = {}
    for name in ("adamw", "sgd"):
        made = learner(many, store, optimizer=name, epochs=2)
        made.freeze_to(-3)
        assert made._stage.tuning is not None
        rates[name] = made._stage.tuning.default_rate()
        if name == "sgd":
            assert rates[name] == made.find_lr().suggestion
    assert rates["adamw"] == 1e-4


def test_weights_that_learned_above_a_cut_go_on_in_the_whole_network(
    data: Dataset, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a processor to a card, where all of the network is trained: below the cut it is the backbone's own."""
    made = tuned_by_hand(learner(data, store), -3)
    made.save(tmp_path / "network.safetensors")
    monkeypatch.setattr(PhotoGrafting, "_cut", None)
    other = learner(data, store)
    other.load(tmp_path / "network.safetensors")
    assert other._stage.tuning is not None
    assert other._stage.tuning.below == 0
    np.testing.assert_allclose(other.evaluate().probabilities, made.evaluate().probabilities, atol=1e-3)


def test_a_network_that_was_loaded_can_be_fine_tuned_with_a_head_of_its_own(
    many: Dataset, store: Store, tmp_path: Path
) -> None:
    made = tuned_by_hand(learner(many, store), -3)
    made.save(tmp_path / "network.safetensors")
    other = assembly.learner(many, store=store, size=SIZE, device="cpu", show=False, head="linear")
    other.load(tmp_path / "network.safetensors")
    other.fine_tune(1, lr=10.0)  # surely no better: the head answers, and has learned
    assert not other.tuned.better  # type: ignore[union-attr]
    assert other.evaluate().accuracy.value > 0.5  # type: ignore[union-attr]
