"""`finegraft train DATA -o RUN`."""

from __future__ import annotations

import importlib.util
import shlex
import sys
from collections import Counter as Tally
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from finegraft import __version__
from finegraft.cli.choices import OneOf
from finegraft.cli.numbers import Automatic
from finegraft.cli.output import Counter, Stopwatch, headline, json_option, print_json
from finegraft.data.contents import digest_of
from finegraft.errors import BackboneError, MissingExtra
from finegraft.evaluation.result import Evaluation
from finegraft.evaluation.run import Run
from finegraft.features.memory import CheckMemory
from finegraft.features.store import Store
from finegraft.models.backbones import DEFAULT, EMBEDDED, find

if TYPE_CHECKING:
    from finegraft.data.dataset import Dataset
    from finegraft.training.learner import Learner


@dataclass(frozen=True)
class Settings:
    """The options of `train`, as typed; kept in run.json."""

    valid: float
    seed: int
    backbone: str
    weights: str | None
    size: int | None
    resize: str
    head: str
    lr: float | None
    epochs: int | None
    batch_size: int | None
    mirror: bool
    engine: str
    device: str


def _backbone_name(ctx: click.Context, param: click.Parameter, name: str) -> str:
    """A name that is no backbone is wrong usage, and said before any photo is read."""
    if not (name in EMBEDDED or name.startswith("timm:") or name.endswith(".onnx")):
        try:
            find(name)
        except BackboneError as error:
            raise click.BadParameter(str(error), ctx, param) from error
    return name


def must_be_able_to_train() -> None:
    """Raise `MissingExtra` where torch is not installed: before any photo is read, and without importing it."""
    if importlib.util.find_spec("torch") is None:
        raise MissingExtra("train", "Training")


def learning_options(command: Any) -> Any:
    """The options that `train` and `lr` share: which data part, which backbone, which head."""
    options = (
        click.option(
            "--valid",
            type=click.FloatRange(0, 1, min_open=True, max_open=True),
            default=0.2,
            show_default=True,
            help="Part to hold out where DATA has no given split.",
        ),
        click.option(
            "--seed",
            type=click.IntRange(0, 2**32 - 1),
            default=0,
            show_default=True,
            help="Seed of the split, the head and the order.",
        ),
        click.option(
            "--backbone",
            default=DEFAULT,
            show_default=True,
            callback=_backbone_name,
            help="See `finegraft backbones`.",
        ),
        click.option("--weights", metavar="FILE|none", help="Other weights for the backbone, or none: random ones."),
        click.option("--size", type=click.IntRange(8, 2048), help="Photos are brought to SIZE × SIZE pixels."),
        click.option(
            "--resize",
            type=OneOf(["crop", "pad", "squish"]),
            default="crop",
            show_default=True,
            help="How photos become square.",
        ),
        click.option(
            "--head",
            type=OneOf(["auto", "linear", "mlp"]),
            default="auto",
            show_default=True,
            help="What is trained on the backbone's features.",
        ),
        click.option(
            "--batch-size",
            type=Automatic(int, at_least=2),
            default="auto",
            show_default=True,
            help="Photos per training step.",
        ),
        click.option("--mirror", is_flag=True, help="Learn from the mirror image of every photo too."),
        click.option(
            "--engine",
            type=OneOf(["auto", "openvino", "onnxruntime", "torch"]),
            default="auto",
            show_default=True,
            help="What runs the backbone.",
        ),
        click.option("--device", type=OneOf(["auto", "cpu", "cuda"]), default="auto", show_default=True),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command("train")
@click.argument("data")
@click.option("-o", "--output", "run_path", required=True, metavar="RUN", help="Folder to put the run in.")
@learning_options
@click.option("--lr", type=Automatic(float, above=0), default="auto", show_default=True, help="Highest learning rate.")
@click.option("--epochs", type=Automatic(int, at_least=1), default="auto", show_default=True)
@click.option("--force", is_flag=True, help="Replace a finished run in RUN.")
@json_option
def command(data: str, run_path: str, force: bool, as_json: bool, **options: Any) -> None:
    """
    \b
      finegraft train PHOTOS -o RUN
      finegraft report RUN
      finegraft predict RUN photo.jpg

    Train on DATA, a folder with one folder of photos per class, and leave everything in RUN.

    Folders named train, validation and test above the class folders are given splits; without them a fifth is held
    out. The part that gives the headline number chooses nothing.
    """
    must_be_able_to_train()
    settings = Settings(**options)
    find(settings.backbone, settings.weights)  # what is missing is said now, not after the photos were read
    run = Run.create(run_path, force)
    watch = Stopwatch()
    with ExitStack() as on_failure:
        on_failure.callback(run.discard)
        learner, evaluation = _train(data, run, settings, watch)
        on_failure.pop_all()
    run = run.publish()
    stored = run.settings
    if as_json:
        print_json(
            {
                **evaluation.summary_json(),
                **{key: stored[key] for key in ("judged_on", "n_train", "seconds", "findings", "lr")},
                "backbone": stored["backbone"]["name"],
                "run": str(run.path),
            }
        )
        return
    click.echo("\n".join(_summary(run, learner.data, evaluation)))


def _train(data: str, run: Run, settings: Settings, watch: Stopwatch) -> tuple[Learner, Evaluation]:
    """The whole loop, stage by stage; every stage leaves its file in the run."""
    from finegraft.vision.sources import read

    with Store.open() as store:
        with watch.stage("check"):
            dataset = read(data, CheckMemory(store), Counter("checked")).split(settings.valid, settings.seed)
        with watch.stage("start"):
            from finegraft.reporting.report import report
            from finegraft.vision.assembly import learner as make_learner
        with watch.stage("features"):
            learner = make_learner(
                dataset,
                settings.backbone,
                weights=settings.weights,
                size=settings.size,
                resize=settings.resize,  # type: ignore[arg-type] # click has checked both
                head=settings.head,  # type: ignore[arg-type]
                seed=settings.seed,
                batch_size=settings.batch_size,
                mirror=settings.mirror,
                engine=settings.engine,
                device=settings.device,
                store=store,
                progress=Counter("features of"),
            )
    run.write_dataset(learner.data)
    with watch.stage("head"):
        _ = learner.head
    with watch.stage("rate"):
        run.write_lr_curve(learner.find_lr().to_json())
    with watch.stage("fit"):
        learner.callbacks.append(_Log(run))
        learner.fit_one_cycle(settings.epochs or learner.default_epochs, settings.lr)
    with watch.stage("calibrate"):
        _ = learner.calibration
    with watch.stage("judge"):
        evaluation = learner.evaluate()
        run.write_evaluation(evaluation)
    with watch.stage("bundle"):
        learner.predictor().save(run.model)
    record = _record(run, data, settings, learner, evaluation, watch)
    with watch.stage("report"):
        report(run.with_settings(record), run.report)
    run.write_settings({**record, "seconds": watch.table()})  # last: it says that the run is complete
    return learner, evaluation


class _Log:
    """A callback that keeps every epoch in the run's log."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def on_epoch_end(self, state: Any) -> None:
        self._run.log(state.row.to_json())


def _record(
    run: Run, data: str, settings: Settings, learner: Learner, evaluation: Evaluation, watch: Stopwatch
) -> dict[str, Any]:
    """What run.json keeps."""
    from finegraft.cli.environment import environment

    calibration = learner.calibration
    dataset = learner.data
    return {
        "finegraft": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join(["finegraft", *sys.argv[1:]]),
        "data": str(Path(data).resolve()),
        "modality": dataset.modality,
        "target": learner.target.to_json(),
        **learner.origin.describe(),
        "settings": {
            **asdict(settings),
            "epochs": len(learner.history.rows),
            "head": learner.head,
            "batch_size": learner.batch_size,
        },
        "lr": learner.lr,
        "trials": [asdict(trial) for trial in learner.trials],
        "environment": environment(),
        "n_train": len(dataset.part("train")),
        "n_judged": len(evaluation),
        "judged_on": dataset.judged_on,
        "metrics": evaluation.summary_json()["metrics"],
        "temperature": calibration.temperature,
        "unsure_below": calibration.unsure_below,
        "seconds": watch.table(),
        "findings": dict(Tally(finding.kind for finding in dataset.findings)),
        "finding_rows": [finding.to_json() for finding in dataset.findings],
        "model_digest": digest_of(run.model.read_bytes()),
    }


def _summary(run: Run, dataset: Dataset, evaluation: Evaluation) -> list[str]:
    stored = run.settings
    seconds = " · ".join(f"{name} {value:.1f}" for name, value in stored["seconds"].items())
    left_out = len(dataset.left_out)
    return [
        *headline(evaluation, dataset.judged_on),
        f"Learned from {stored['n_train']:,} photos; {left_out:,} {'file was' if left_out == 1 else 'files were'} "
        f"left out. Head: {stored['settings']['head']}, learning rate {stored['lr']:.2g}.",
        f"Seconds: {seconds}.",
        f"Report: {run.report}",
        f"Next: finegraft predict {shlex.quote(str(run.path))} photo.jpg",
    ]
