"""`finegraft export RUN`."""

from __future__ import annotations

from pathlib import Path

import click

from finegraft.cli.choices import OneOf
from finegraft.cli.output import json_option, print_json
from finegraft.evaluation.run import Run

# Not from `exporting.formats`, which loads what only an export needs.
_FORMATS = ("bundle", "onnx", "openvino", "torch", "web")


@click.command("export")
@click.argument("run")
@click.option("-o", "--output", required=True, metavar="FILE", help="Where to write it.")
@click.option("--to", type=OneOf(_FORMATS), default="bundle", show_default=True, help="In which format.")
@click.option("--int8", is_flag=True, help="In 8-bit integers, where that is as good and faster here.")
@click.option("--slim", is_flag=True, help="Without the backbone, for where it is installed.")
@click.option("--with-samples", is_flag=True, help="With 12 of the judged photos, which everybody then has.")
@click.option("--force", is_flag=True, help="Replace an earlier export.")
@json_option
def command(
    run: str, output: str, to: str, int8: bool, slim: bool, with_samples: bool, force: bool, as_json: bool
) -> None:
    """
    \b
      finegraft export RUN -o flowers.fg
      finegraft export RUN -o flowers.onnx --to onnx
      finegraft export RUN -o flowers-ir --to openvino
      finegraft export RUN -o flowers --to web

    Write the model of RUN for others to use: a bundle with its proof, a plain ONNX file (uint8 photos in, probabilities
    out), a folder for OpenVINO, one with torch's tensors, or a web page that answers in its visitors' browsers, for any
    server of files (npm is needed once, to fetch onnxruntime-web). First it is asked about the run's judged photos and
    a set of awkward pictures, in a process of its own; where it answers otherwise than the training did, nothing is
    written and the photos are named.

    With --int8 the network is brought to 8-bit integers, by the ranges that photos it learned from show. It is judged
    on the run's judged photos and timed by every engine installed; where it loses more than half a point, the layers
    that cost most stay as they are; where no form is as good and faster here, nothing is written.
    """
    opened = Run.open(run)
    from finegraft.exporting.exports import Wishes, export

    if int8:
        click.echo("Making it of 8-bit integers, and judging that: a minute or two …", err=True)
    done = export(opened, Path(output), to, force, Wishes(int8, slim, with_samples))
    if as_json:
        print_json(done.to_json())
        return
    if done.trial is not None:
        click.echo(f"8-bit integers, {done.trial.words}.")
    like = "as the training did" if done.trial is None else "as in that trial"
    click.echo(
        f"{done.path}: {done.parity.photos:,} photos ({done.judged:,} it was judged on) are answered {like}, "
        f"{done.parity.words(done.numbers)}."
    )
