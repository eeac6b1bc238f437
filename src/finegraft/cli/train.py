"""`finegraft train DATA -o RUN`."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from finegraft.cli.data_options import DataOptions, data_options
from finegraft.cli.fine_tuning import (
    fine_tune,
    fine_tuning_options,
    is_wanted,
    must_be_able_to_grow,
    must_be_able_to_learn,
)
from finegraft.cli.learning_options import learning_options, must_be_able_to_train
from finegraft.cli.numbers import Automatic
from finegraft.cli.output import Counter, Stopwatch, json_option, must_be_writable, print_json
from finegraft.cli.record import Settings, record
from finegraft.cli.summary import summary
from finegraft.cli.tracking import told, tracked
from finegraft.data.contents import digest_of
from finegraft.evaluation.kinds import AnyEvaluation
from finegraft.evaluation.run import Run
from finegraft.features.store import Store
from finegraft.models.backbones import find

if TYPE_CHECKING:
    from finegraft.training.learner import Learner
    from finegraft.training.trackers import Tracker


# Keys of run.json that `--json` prints as they are.
_FOR_JSON = ("judged_on", "n_train", "seconds", "findings", "lr", "class_weights", "leakage", "slices")


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
@fine_tuning_options
@click.option("--metric", metavar="NAME", help="What to watch and to name first, as macro_f1 or rmse.")
@click.option("--force", is_flag=True, help="Replace a finished run in RUN.")
@json_option
def command(data: str, run_path: str, force: bool, as_json: bool, **options: Any) -> None:
    """
    \b
      finegraft train PHOTOS -o RUN
      finegraft report RUN
      finegraft predict RUN photo.jpg

    Train on DATA and leave everything in RUN. DATA is a folder with one folder of photos per class, a table with a
    column of paths (CSV, TSV, Parquet, or a list of paths and labels), or a zip or tar of these. What a table's label
    column holds is learned: classes, several tags per photo, or a number.

    Folders named train, validation and test above the class folders are given splits, and so is what --split-column
    and --test say; without any a fifth is held out. The part that gives the headline number chooses nothing.
    """
    must_be_able_to_train()
    source = DataOptions.taken_from(options)
    settings = Settings(**options)
    if settings.show_batch is not None:
        from finegraft.vision import batch_picture

        batch_picture.check(Path(settings.show_batch))
        must_be_writable(Path(settings.show_batch))
    backbone = find(settings.backbone, settings.weights)  # what is missing is said now, not after photos were read
    must_be_able_to_learn(settings.fine_tune, backbone)
    must_be_able_to_grow(settings, backbone)
    run = Run.create(run_path, force)
    watch = Stopwatch()
    with ExitStack() as on_failure:
        on_failure.callback(run.discard)
        with tracked(run, settings) as tracker:
            learner, evaluation = _train(data, source, run, settings, watch, tracker)
            told(tracker, evaluation)
        on_failure.pop_all()
    run = run.publish()
    stored = run.settings
    if as_json:
        print_json(
            {
                **evaluation.summary_json(),
                **{key: stored[key] for key in _FOR_JSON},
                "backbone": stored["backbone"]["name"],
                "learning_curve": (stored["learning_curve"] or {}).get("twice"),
                "run": str(run.path),
            }
        )
        return
    click.echo("\n".join(summary(run, learner, evaluation)))


def _train(
    data: str, source: DataOptions, run: Run, settings: Settings, watch: Stopwatch, tracker: Tracker | None
) -> tuple[Learner, AnyEvaluation]:
    """The whole loop, stage by stage; every stage leaves its file in the run."""
    with Store.open() as store:
        with watch.stage("check"):
            dataset = source.read(data, store).split(settings.valid, settings.seed)
        with watch.stage("start"):
            from finegraft.reporting.chapters import chapters
            from finegraft.reporting.material import Material
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
                metric=settings.metric,
                mirror=settings.mirror,
                engine=settings.engine,
                device=settings.device,
                augment=settings.augment,
                mix="mixup" if settings.mixup else None,
                workers=settings.workers,
                resize_from=settings.resize_from,
                store=store,
                progress=Counter("features of"),
            )
    run.write_dataset(learner.data)
    tunes = is_wanted(settings, learner)
    if settings.show_batch is not None:
        learner.show_batch(settings.show_batch, changed=tunes)
    with watch.stage("head"):
        _ = learner.head
    with watch.stage("rate"):
        run.write_lr_curve(learner.find_lr().to_json())
    with watch.stage("fit"):
        learner.callbacks += [_Log(run, learner.metric), *([] if tracker is None else [tracker.named(learner.metric)])]
        learner.fit_one_cycle(settings.epochs or learner.default_epochs, settings.lr)
    with watch.stage("calibrate"):
        _ = learner.calibration
    with watch.stage("growth"):
        growth = learner.learning_curve()
    if tunes:
        with watch.stage("fine-tune"):
            tuned = fine_tune(learner, settings.fine_tune, settings.budget, watch.passed)
            if tuned.better:
                run.checkpoints.mkdir()
                learner.save(run.checkpoints / "network.safetensors")
    with watch.stage("judge"):
        evaluation = learner.evaluate()
        run.write_evaluation(evaluation)
    kept = record(data, source, settings, learner, evaluation, growth)
    with watch.stage("bundle"):
        learner.predictor().save(run.model, chapters(Material.of(run.with_settings(kept))))
    kept |= {"model_digest": digest_of(run.model.read_bytes()), "seconds": watch.table()}
    with watch.stage("report"):
        report(run.with_settings(kept), run.report)
    run.write_settings({**kept, "seconds": watch.table()})  # last: it says that the run is complete
    return learner, evaluation


class _Log:
    """A callback that keeps every epoch in the run's log."""

    def __init__(self, run: Run, metric: str) -> None:
        self._run = run
        self._metric = metric

    def on_epoch_end(self, state: Any) -> None:
        row = state.row.to_json()
        error = row.pop("error_rate")
        stage = "network" if hasattr(state.network, "trunk") else "head"
        self._run.log({"stage": stage, **row, self._metric: error})
