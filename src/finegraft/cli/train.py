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
from finegraft.cli.data_options import DataOptions, data_options
from finegraft.cli.numbers import Automatic
from finegraft.cli.output import Counter, Stopwatch, headline, json_option, percent, print_json
from finegraft.cli.printable import printable
from finegraft.cli.slices import slices_json, standing_out
from finegraft.data.balance import balance
from finegraft.data.contents import digest_of
from finegraft.errors import BackboneError, MissingExtra
from finegraft.evaluation.growth import LearningCurve
from finegraft.evaluation.leakage import Leakage, leakage
from finegraft.evaluation.result import Evaluation
from finegraft.evaluation.run import Run
from finegraft.features.store import Store
from finegraft.models.backbones import DEFAULT, EMBEDDED, find

if TYPE_CHECKING:
    from finegraft.training.learner import Learner


# Keys of run.json that `--json` prints as they are.
_FOR_JSON = ("judged_on", "n_train", "seconds", "findings", "lr", "class_weights", "leakage", "slices")
_FEW_SHOWN = 3  # classes with very few photos that are named on the terminal


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
    class_weights: str
    wanted_error: float
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
        click.option(
            "--class-weights",
            type=OneOf(["auto", "no"]),
            default="auto",
            show_default=True,
            help="Let classes with far fewer photos than others count as much as these.",
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
@data_options
@click.option("-o", "--output", "run_path", required=True, metavar="RUN", help="Folder to put the run in.")
@learning_options
@click.option("--lr", type=Automatic(float, above=0), default="auto", show_default=True, help="Highest learning rate.")
@click.option("--epochs", type=Automatic(int, at_least=1), default="auto", show_default=True)
@click.option(
    "--wanted-error",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.05,
    show_default=True,
    help="How often answers that it does not call unsure may be wrong.",
)
@click.option("--force", is_flag=True, help="Replace a finished run in RUN.")
@json_option
def command(data: str, run_path: str, force: bool, as_json: bool, **options: Any) -> None:
    """
    \b
      finegraft train PHOTOS -o RUN
      finegraft report RUN
      finegraft predict RUN photo.jpg

    Train on DATA and leave everything in RUN. DATA is a folder with one folder of photos per class, a table with a
    column of paths (CSV, TSV, Parquet, or a list of paths and labels), or a zip or tar of these.

    Folders named train, validation and test above the class folders are given splits, and so is what --split-column
    and --test say; without any a fifth is held out. The part that gives the headline number chooses nothing.
    """
    must_be_able_to_train()
    source = DataOptions.taken_from(options)
    settings = Settings(**options)
    find(settings.backbone, settings.weights)  # what is missing is said now, not after the photos were read
    run = Run.create(run_path, force)
    watch = Stopwatch()
    with ExitStack() as on_failure:
        on_failure.callback(run.discard)
        learner, evaluation = _train(data, source, run, settings, watch)
        on_failure.pop_all()
    run = run.publish()
    stored = run.settings
    if as_json:
        print_json(
            {
                **evaluation.summary_json(),
                **{key: stored[key] for key in _FOR_JSON},
                "backbone": stored["backbone"]["name"],
                "learning_curve": stored["learning_curve"]["twice"],
                "run": str(run.path),
            }
        )
        return
    click.echo("\n".join(_summary(run, learner, evaluation)))


def _train(
    data: str, source: DataOptions, run: Run, settings: Settings, watch: Stopwatch
) -> tuple[Learner, Evaluation]:
    """The whole loop, stage by stage; every stage leaves its file in the run."""
    with Store.open() as store:
        with watch.stage("check"):
            dataset = source.read_classes(data, store).split(settings.valid, settings.seed)
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
                class_weights=settings.class_weights,  # type: ignore[arg-type]
                wanted_error=settings.wanted_error,
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
    with watch.stage("growth"):
        growth = learner.learning_curve()
    with watch.stage("judge"):
        evaluation = learner.evaluate()
        run.write_evaluation(evaluation)
    with watch.stage("bundle"):
        learner.predictor().save(run.model)
    record = {**_record(run, data, source, settings, learner, evaluation, watch), "learning_curve": growth.to_json()}
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
    run: Run,
    data: str,
    source: DataOptions,
    settings: Settings,
    learner: Learner,
    evaluation: Evaluation,
    watch: Stopwatch,
) -> dict[str, Any]:
    """What run.json keeps."""
    from finegraft.cli.environment import environment

    calibration = learner.calibration
    dataset = learner.data
    leaked = leakage(dataset, evaluation)
    return {
        "finegraft": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join(["finegraft", *sys.argv[1:]]),
        "data": str(Path(data).resolve()),
        "root": str(dataset.root.resolve()),
        "source": source.to_json(),
        "modality": dataset.modality,
        "target": learner.target.to_json(),
        **learner.origin.describe(),
        "settings": {
            **asdict(settings),
            "epochs": len(learner.history.rows),
            "head": learner.head,
            "batch_size": learner.batch_size,
        },
        **learner.class_weights.to_json(learner.target.labels),
        "lr": learner.lr,
        "trials": [asdict(trial) for trial in learner.trials],
        "environment": environment(),
        "n_train": len(dataset.part("train")),
        "n_judged": len(evaluation),
        "judged_on": dataset.judged_on,
        **{name: evaluation.summary_json()[name] for name in ("metrics", "intervals")},
        "leakage": None if leaked is None else leaked.to_json(),
        "slices": slices_json(evaluation),
        "looks": evaluation.looks,
        "calibration": calibration.to_json(),
        "unsure": {"wanted_error": settings.wanted_error},
        "temperature": calibration.temperature,
        "unsure_below": calibration.unsure_below,
        "seconds": watch.table(),
        "findings": dict(Tally(finding.kind for finding in dataset.findings)),
        "finding_rows": [finding.to_json() for finding in dataset.findings],
        "model_digest": digest_of(run.model.read_bytes()),
    }


def _summary(run: Run, learner: Learner, evaluation: Evaluation) -> list[str]:
    stored, dataset = run.settings, learner.data
    seconds = " · ".join(f"{name} {value:.1f}" for name, value in stored["seconds"].items())
    left_out = len(dataset.left_out)
    return [
        *headline(evaluation, dataset.judged_on),
        *_leaked(leakage(dataset, evaluation), dataset.judged_on),
        *standing_out(stored["slices"]),
        f"Learned from {stored['n_train']:,} photos; {left_out:,} {'file was' if left_out == 1 else 'files were'} "
        f"left out. Head: {stored['settings']['head']}, learning rate {stored['lr']:.2g}.",
        *_growth(LearningCurve.from_json(stored["learning_curve"])),
        *_balance(learner),
        f"Seconds: {seconds}.",
        f"Report: {run.report}",
        f"Next: finegraft predict {shlex.quote(str(run.path))} photo.jpg",
    ]


def _leaked(found: Leakage | None, part: str) -> list[str]:
    """What copies between the given splits are worth; nothing where there are none."""
    if found is None:
        return []
    many = f"Of the {part} part, {found.leaked:,} have a copy or one of their group in another part"
    if found.without is None or found.optimism is None:
        return [f"{many}: all of it. Nothing is known about photos it has not seen."]
    low, high = found.without.interval or (0.0, 1.0)
    return [
        f"{many}. Without them {percent(found.without.value)} are right ({percent(low)} to {percent(high)}): "
        f"the split flatters by {100 * found.optimism:+.1f} points."
    ]


def _growth(curve: LearningCurve) -> list[str]:
    """What twice the photos would bring, or why it cannot be told; and the classes that need more most."""
    twice = curve.twice
    if twice is None:
        return [] if curve.reason is None else [curve.reason]
    low, high = twice.interval
    expected = f"{percent(twice.accuracy)} ({percent(low)} to {percent(high)})"
    wanting = [row.label for row in curve.classes if row.stands_out][:_FEW_SHOWN]
    most = f" More of {', '.join(wanting)} would help most." if wanting else ""
    return [printable(f"Twice the photos would bring about {expected} right.{most}")]


def _balance(learner: Learner) -> list[str]:
    """What was done about unbalanced classes, and the classes with very few photos; nothing where there are none."""
    weights = [learner.class_weights.reason] if learner.class_weights.unbalanced else []
    few = [finding.note for finding in balance(learner.data.usable) if finding.kind == "few"]
    if len(few) > _FEW_SHOWN:
        few[_FEW_SHOWN:] = [f"{len(few) - _FEW_SHOWN:,} more classes have very few photos: the report names them."]
    return [printable(line) for line in (*weights, *few)]
