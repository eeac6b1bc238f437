"""`finegraft serve MODEL…`."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import click

from finegraft.cli.choices import OneOf
from finegraft.cli.model import run_of
from finegraft.errors import MissingExtra, UsageError

_NEEDED = ("starlette", "uvicorn", "multipart", "prometheus_client")


@click.command("serve")
@click.argument("models", nargs=-1, required=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 lets other machines in.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes a free one.")
@click.option("--token-file", metavar="FILE", help="Ask for the token in FILE; or set FINEGRAFT_TOKEN.")
@click.option("--feedback", metavar="FILE", help="Take verdicts on answers, and append them to FILE.")
@click.option("--engine", type=OneOf(["auto", "openvino", "onnxruntime"]), default="auto", show_default=True)
@click.option("--workers", type=click.IntRange(1, 256), help="Files answered at a time.  [default: two a processor]")
@click.option("--batch", type=click.IntRange(1, 64), default=1, show_default=True, help="Files computed together.")
@click.option(
    "--batch-wait",
    type=click.FloatRange(0, 1000),
    default=0.0,
    show_default=True,
    metavar="MS",
    help="How long a file waits for others to be computed with.",
)
def command(
    models: tuple[str, ...],
    host: str,
    port: int,
    token_file: str | None,
    feedback: str | None,
    engine: str,
    workers: int | None,
    batch: int,
    batch_wait: float,
) -> None:
    """
    \b
      finegraft serve RUN
      finegraft serve flowers.fg bears.fg --port 8080
      curl --data-binary @photo.jpg http://127.0.0.1:8000/v1/predict

    Answer over HTTP: POST a photo, or several as parts called file, to /v1/predict. Each MODEL is a RUN folder or a
    bundle; the first answers where none is named. SIGTERM ends it after what was accepted is answered; SIGHUP opens the
    files anew.
    """
    if any(importlib.util.find_spec(name) is None for name in _NEEDED):
        raise MissingExtra("serve", "The server")
    from finegraft.serving.limits import Limits
    from finegraft.serving.models import named
    from finegraft.serving.running import Place, serve

    served = named([_bundle(text) for text in models], engine)
    verdicts = None if feedback is None else Path(feedback)
    serve(served, Place(host, port, workers, batch, batch_wait / 1000, _token(token_file), verdicts), Limits())


def _bundle(text: str) -> Path:
    """The file of a model that is a run or a bundle."""
    path = Path(text)
    if path.is_dir():
        run = run_of(text)
        assert run is not None  # of a folder it is a run, or an error
        return run.model
    return path


def _token(file: str | None) -> str | None:
    """The token to ask for, None for none. Raises `UsageError` where the file holds none."""
    if file is None:
        return os.environ.get("FINEGRAFT_TOKEN") or None
    try:
        token = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"Cannot read a token from {file}: {error}.", "Put one line of text in it.") from error
    if not token or not token.isascii() or not token.isprintable():
        raise UsageError(f"{file} holds no token.", "Put one line of printable ASCII in it.")
    return token
