"""`--fine-tune` and `--budget`: whether the network learns too, and for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from finegraft.cli.choices import OneOf
from finegraft.cli.durations import Duration
from finegraft.errors import UsageError
from finegraft.models.backbones import Backbone
from finegraft.vision.sets import DEFAULT, SETS

if TYPE_CHECKING:
    from finegraft.cli.record import Settings
    from finegraft.training.fine_tuning import Tuned
    from finegraft.training.learner import Learner

# Seconds kept for what follows the training: the bundle and the report.
_AFTER = 6.0


class FineTune(click.ParamType[Any]):
    """`auto`, `no`, or a number of epochs."""

    name = "auto|no|epochs"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The word, or the number. Fails with what was wanted."""
        if value in {"auto", "no"} or isinstance(value, int):
            return value
        if not value.isdecimal() or not 1 <= int(value) <= 1000:
            self.fail(f"{value!r} is neither 'auto' nor 'no' nor a number of epochs.", param, ctx)
        return int(value)


def fine_tuning_options(command: Any) -> Any:
    """The options of `train` about the layers below the head."""
    options = (
        click.option(
            "--fine-tune",
            type=FineTune(),
            default="auto",
            show_default=True,
            help="Let the backbone learn too, kept only if it is better. auto: on a card, or within --budget.",
        ),
        click.option(
            "--budget", type=Duration(), help="How long it may all take: 90s, 6m, 1h. Fills it by fine-tuning."
        ),
        click.option(
            "--augment",
            type=OneOf(list(SETS)),
            default=DEFAULT,
            show_default=True,
            help="How photos are changed while the network learns.",
        ),
        click.option("--mixup", is_flag=True, help="Mix photos in pairs while the network learns."),
        click.option(
            "--resize-from",
            type=click.IntRange(1),
            metavar="PIXELS",
            help="Fine-tune on photos of so many pixels first, then ever larger ones: progressive resizing.",
        ),
        click.option(
            "--track", type=OneOf(["tensorboard", "mlflow"]), help="Tell this tracker of the training as well."
        ),
        click.option("--show-batch", metavar="FILE", help="Write a picture of photos as the model sees them."),
        click.option(
            "--workers", type=click.IntRange(0, 256), help="Threads that read photos while the network learns."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def must_be_able_to_learn(fine_tune: str | int, backbone: Backbone) -> None:
    """Raise `UsageError` where fine-tuning is asked for and the backbone cannot learn: before any photo is read."""
    if isinstance(fine_tune, int) and not backbone.can_learn:
        raise UsageError(backbone.cannot_learn, "Use lite0, lite2 or timm:NAME to fine-tune.")


def must_be_able_to_grow(settings: Settings, backbone: Backbone) -> None:
    """Raise `UsageError` where photos cannot begin at the size that is asked for: before any is read."""
    if settings.resize_from is not None:
        from finegraft.vision import growing

        growing.check(settings.resize_from, settings.size or backbone.graft_size, backbone)


def is_wanted(settings: Settings, learner: Learner) -> bool:
    """Whether the network should learn too: when asked for, and by itself where it takes minutes at most.

    Where it does not, and something was asked for that only then has a meaning, stderr says so.
    """
    wanted = settings.fine_tune != "no"
    if settings.fine_tune == "auto":
        wanted = learner.device != "cpu" or settings.budget is not None
        if wanted and settings.backbone.endswith(".onnx"):
            click.echo(f"No fine-tuning: {settings.backbone} is a frozen graph, which cannot learn.", err=True)
            wanted = False
    if not wanted and settings.weights == "none":
        click.echo("All weights are random and only a head learns: --fine-tune 30 trains the network.", err=True)
    if not wanted and (settings.mixup or settings.augment != DEFAULT or settings.resize_from is not None):
        click.echo(
            "Photos are not changed: --augment, --mixup and --resize-from do so where the network learns "
            "(--budget 6m).",
            err=True,
        )
    return wanted


def fine_tune(learner: Learner, wanted: str | int, budget: float | None, passed: float) -> Tuned:
    """Fine-tune, `passed` seconds after the command began; what is going to happen is said on stderr first."""
    epochs = wanted if isinstance(wanted, int) else None
    left = None if budget is None else budget - passed - _AFTER
    return learner.fine_tune(epochs, left=left, say=lambda sentence: click.echo(sentence, err=True))
