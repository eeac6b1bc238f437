"""`--fine-tune` and `--budget`: whether the network learns too, and for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from finegraft.cli.choices import OneOf
from finegraft.cli.durations import Duration
from finegraft.vision.sets import DEFAULT, SETS

if TYPE_CHECKING:
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
        click.option("--show-batch", metavar="FILE", help="Write a picture of photos as the model sees them."),
        click.option(
            "--workers", type=click.IntRange(0, 256), help="Threads that read photos while the network learns."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def is_wanted(fine_tune: str | int, budget: float | None, device: str) -> bool:
    """Whether the network should learn too: when asked for, and by itself where it takes minutes at most."""
    if fine_tune == "auto":
        return device != "cpu" or budget is not None
    return fine_tune != "no"


def fine_tune(learner: Learner, wanted: str | int, budget: float | None, passed: float) -> Tuned:
    """Fine-tune, `passed` seconds after the command began; what is going to happen is said on stderr first."""
    epochs = wanted if isinstance(wanted, int) else None
    left = None if budget is None else budget - passed - _AFTER
    return learner.fine_tune(epochs, left=left, say=lambda sentence: click.echo(sentence, err=True))
