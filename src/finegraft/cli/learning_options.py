"""The options that decide how is learned, for `train` and `lr`."""

from __future__ import annotations

import importlib.util
from typing import Any

import click

from finegraft.cli.choices import OneOf
from finegraft.cli.numbers import Automatic
from finegraft.errors import BackboneError, MissingExtra
from finegraft.models.backbones import DEFAULT, EMBEDDED, find


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
