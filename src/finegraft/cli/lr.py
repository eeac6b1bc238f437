"""`finegraft lr DATA`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from finegraft.cli.choices import OneOf
from finegraft.cli.data_options import DataOptions, data_options
from finegraft.cli.learning_options import learning_options, must_be_able_to_train
from finegraft.cli.output import Counter, json_option, must_be_writable, print_json
from finegraft.data.atomic import write_atomically
from finegraft.features.store import Store


@click.command("lr")
@click.argument("data")
@click.option("-o", "--output", default="lr", show_default=True, help="Writes OUTPUT.png and OUTPUT.json.")
@data_options
@learning_options
@click.option(
    "--rule",
    type=OneOf(["half", "valley", "slide", "minimum", "steep"]),
    default="half",
    show_default=True,
    help="How the rate is read off the curve; all but half are fastai's.",
)
@json_option
def command(data: str, output: str, rule: str, as_json: bool, **options: Any) -> None:
    """
    \b
      finegraft lr PHOTOS

    Sweep the learning rate on DATA, as `train` takes it: a suggestion with its reason, the curve as a picture and as
    numbers.
    """
    must_be_able_to_train()
    import json

    from finegraft.models.backbones import find
    from finegraft.reporting.picture import lr_curve_png
    from finegraft.vision.assembly import learner

    picture, numbers = Path(f"{output}.png"), Path(f"{output}.json")
    for path in (picture, numbers):
        must_be_writable(path)
    find(options["backbone"], options["weights"])  # what is missing is said now, not after the photos were read
    source, valid, seed = DataOptions.taken_from(options), options.pop("valid"), options["seed"]
    with Store.open() as store:
        dataset = source.read(data, store).split(valid, seed)
        made = learner(dataset, store=store, progress=Counter("features of"), show=False, **options)
    curve = made.find_lr(rule=rule)
    found = curve.to_json()
    write_atomically(picture, lr_curve_png(curve.lrs, curve.losses, curve.suggestion))
    write_atomically(numbers, (json.dumps(found) + "\n").encode())
    if as_json:
        print_json({**found, "path": str(picture)})
        return
    click.echo(f"{curve.suggestion:.2e}: {curve.reason} (rule: {curve.rule}).")
    click.echo(f"Curve: {picture}, {numbers}")
