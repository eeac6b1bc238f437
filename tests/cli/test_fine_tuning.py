"""Fine-tuning from the command line: what is said, what is kept, what answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from finegraft.evaluation.run import Run
from tests.cli.running import FAST, Done, finegraft
from tests.making import folder_of_photos
from tests.models.making import frozen

pytestmark = pytest.mark.xdist_group("fine-tuning-cli")


@pytest.fixture(scope="module")
def flowers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_of_photos(tmp_path_factory.mktemp("flowers"), dict.fromkeys(("rose", "tulip"), 72))


@pytest.fixture(scope="module")
def tuned(flowers: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    run = tmp_path_factory.mktemp("runs") / "tuned"
    done = finegraft("train", flowers, "-o", run, "--fine-tune", "2", *FAST)
    assert done.code == 0, done.err
    return run, done


def test_what_will_happen_is_said_before_and_what_came_of_it_after(tuned: tuple[Path, Done]) -> None:
    _, done = tuned
    before = done.err.index("Fine-tuning for 2 epochs, about ")
    assert done.err.index("fine-tune …") < before < done.err.index("aside loss")
    said = [line for line in done.out.splitlines() if line.startswith("Fine-tun")]
    assert len(said) == 1
    assert "of the head alone, on" in said[0]


def test_run_json_and_the_log_tell_of_both_stages(tuned: tuple[Path, Done]) -> None:
    stored = json.loads((tuned[0] / "run.json").read_text())
    told = stored["fine_tuning"]
    assert told["epochs"] == 2
    assert told["learned"] + told["asked"] == stored["n_train"]
    assert told["expected_seconds"] > 0
    assert set(told["head"]) == set(told["network"]) == {"loss", "error"}
    assert stored["settings"]["fine_tune"] == 2
    assert stored["seconds"]["fine-tune"] > 0
    history = Run.open(tuned[0]).history()
    assert [row["stage"] for row in history] == ["head"] * stored["settings"]["epochs"] + ["network"] * 2


def test_the_report_says_whether_it_was_worth_it(tuned: tuple[Path, Done]) -> None:
    page = (tuned[0] / "report.html").read_text()
    assert "Fine-tuning" in page
    assert "The network learned too, and " in page


def test_the_model_answers(tuned: tuple[Path, Done], flowers: Path) -> None:
    photo = next((flowers / "rose").iterdir())
    done = finegraft("predict", tuned[0], photo, "--json")
    assert json.loads(done.out)["label"] in {"rose", "tulip"}


def test_too_few_photos_to_tell_by_are_said_and_nothing_is_trained(tmp_path: Path) -> None:
    data = folder_of_photos(tmp_path / "few", dict.fromkeys(("rose", "tulip"), 10))
    done = finegraft("train", data, "-o", tmp_path / "run", "--fine-tune", "2", *FAST)
    assert done.code == 0
    assert "kept aside nobody can tell whether it is better; it takes 10." in done.out
    told = json.loads((tmp_path / "run" / "run.json").read_text())["fine_tuning"]
    assert (told["epochs"], told["head"], told["network"], told["better"]) == (0, None, None, False)
    page = (tmp_path / "run" / "report.html").read_text()
    assert "nobody can tell whether it is better" in page
    assert "both learned" not in page


def test_one_photo_of_a_class_keeps_nothing_aside_and_the_head_answers(tmp_path: Path) -> None:
    for part, each in (("train", 1), ("test", 2)):
        folder_of_photos(tmp_path / "data" / part, dict.fromkeys(("rose", "tulip"), each))
    done = finegraft("train", tmp_path / "data", "-o", tmp_path / "run", "--budget", "5m", *FAST)
    assert done.code == 0, done.err
    assert "No fine-tuning: no record can be kept aside to judge by." in done.out


def test_a_frozen_graph_that_should_learn_is_told_before_any_photo_is_read(flowers: Path, tmp_path: Path) -> None:
    backbone = frozen(tmp_path / "theirs.onnx")
    done = finegraft("train", flowers, "-o", tmp_path / "run", "--backbone", backbone, "--fine-tune", "2")
    assert done.code == 2
    assert (
        "theirs.onnx is a frozen graph, which cannot learn. Use lite0, lite2 or timm:NAME to fine-tune." in done.error
    )
    auto = finegraft("train", flowers, "-o", tmp_path / "run", "--backbone", backbone, "--budget", "5m", "--size", "16")
    assert auto.code == 0, auto.err
    assert "theirs.onnx is a frozen graph, which cannot learn." in auto.err


def test_photos_that_grow_are_learned_from(flowers: Path, tmp_path: Path) -> None:
    options = ["--fine-tune", "2", "--size", "64", "--resize-from", "32"]
    done = finegraft("train", flowers, "-o", tmp_path / "run", *options, *FAST)
    assert done.code == 0, done.err
    stored = json.loads((tmp_path / "run" / "run.json").read_text())
    assert stored["settings"]["resize_from"] == 32
    assert stored["fine_tuning"]["network"] is not None
    too_large = finegraft(
        "train", tmp_path / "nowhere", "-o", tmp_path / "other", "--size", "64", "--resize-from", "64"
    )
    assert too_large.code == 2
    assert "Photos to begin with have 32 to 63 pixels where the last have 64, got 64." in too_large.error


def test_what_has_a_meaning_only_where_the_network_learns_is_said(flowers: Path, tmp_path: Path) -> None:
    said = "Photos are not changed: --augment, --mixup and --resize-from do so where the network learns"
    for options in (["--mixup"], ["--augment", "strong"], ["--resize-from", "32"]):
        done = finegraft("train", flowers, "-o", tmp_path / "run", "--force", *options, *FAST)
        assert done.code == 0
        assert said in done.err
    assert said not in finegraft("train", flowers, "-o", tmp_path / "run", "--force", *FAST).err


def test_random_weights_that_nothing_will_train_are_told(flowers: Path, tmp_path: Path) -> None:
    done = finegraft("train", flowers, "-o", tmp_path / "run", "--weights", "none", *FAST)
    assert done.code == 0
    assert "All weights are random and only a head learns: --fine-tune 30 trains the network." in done.err


def test_changed_and_mixed_photos_are_learned_from(flowers: Path, tmp_path: Path) -> None:
    options = ["--fine-tune", "1", "--augment", "standard", "--mixup", "--workers", "1"]
    done = finegraft("train", flowers, "-o", tmp_path / "run", *options, *FAST)
    assert done.code == 0, done.err
    stored = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (stored["augment"], stored["settings"]["mixup"]) == ("standard", True)
    assert stored["fine_tuning"]["network"] is not None


def test_without_a_budget_a_processor_does_not_fine_tune(flowers: Path, tmp_path: Path) -> None:
    done = finegraft("train", flowers, "-o", tmp_path / "run", *FAST, "--json")
    stored = json.loads((tmp_path / "run" / "run.json").read_text())
    assert stored["fine_tuning"] is None
    assert "fine-tune" not in done.object["seconds"]
    assert "Fine-tuning" not in (tmp_path / "run" / "report.html").read_text()


def test_a_budget_that_is_too_small_is_said_and_the_head_answers(flowers: Path, tmp_path: Path) -> None:
    shown = tmp_path / "batch.png"
    done = finegraft("train", flowers, "-o", tmp_path / "run", "--budget", "1s", "--show-batch", shown, *FAST)
    with Image.open(shown) as picture:
        assert picture.size == (4 * 240 + 16, 4 * 260 + 16)
    assert done.code == 0
    assert "No fine-tuning: 2 epochs would take about " in done.out
    assert "No fine-tuning: 2 epochs would take about " in done.err
    told = json.loads((tmp_path / "run" / "run.json").read_text())["fine_tuning"]
    assert (told["epochs"], told["network"], told["better"]) == (0, None, False)
    assert "The backbone did not learn: 2 epochs would take" in (tmp_path / "run" / "report.html").read_text()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--fine-tune", "yes"], "'yes' is neither 'auto' nor 'no' nor a number of epochs."),
        (["--fine-tune", "0"], "'0' is neither 'auto' nor 'no' nor a number of epochs."),
        (["--budget", "6"], "'6' is no time: write 90s, 6m or 1h30m."),
        (["--workers", "-1"], "-1 is not in the range"),
        (["--show-batch", "batch.txt"], "A picture cannot be written as '.txt'."),
    ],
)
def test_wrong_usage_is_told_before_any_photo_is_read(
    flowers: Path, tmp_path: Path, options: list[str], said: str
) -> None:
    done = finegraft("train", flowers, "-o", tmp_path / "run", *options)
    assert done.code == 2
    assert said in done.err
    assert not (tmp_path / "run").exists()


def test_the_weights_of_a_network_that_is_used_are_kept_until_another_run_takes_its_place(
    tuned: tuple[Path, Done], flowers: Path
) -> None:
    """The last test of `tuned`: it replaces that run."""
    run, _ = tuned
    used = json.loads((run / "run.json").read_text())["fine_tuning"]["better"]
    assert (run / "checkpoints" / "network.safetensors").exists() is used
    again = finegraft("train", flowers, "-o", run, "--force", *FAST)
    assert again.code == 0, again.err
    assert not (run / "checkpoints").exists()
