"""The command `finegraft`: one file per command, loaded when it is called; one place that turns errors into words."""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Sequence

import click

from finegraft import __version__
from finegraft.cli import interrupts
from finegraft.cli.printable import printable
from finegraft.cli.suggestions import did_you_mean
from finegraft.errors import FinegraftError

# command -> (module, one line). The line stands here so that `--help` imports no command.
COMMANDS: dict[str, tuple[str, str]] = {
    "check": ("finegraft.cli.check", "Open every file once and say what is wrong with it."),
    "fetch": ("finegraft.cli.fetch", "Download labelled photos from a list of addresses."),
    "train": ("finegraft.cli.train", "Train on a folder of labelled photos, judge, and pack."),
    "predict": ("finegraft.cli.predict", "Answer for files, folders, globs or a list on stdin."),
    "eval": ("finegraft.cli.eval", "Score a model on labelled photos."),
    "export": ("finegraft.cli.export", "Write a model for others to use, proven to answer the same."),
    "serve": ("finegraft.cli.serve", "Answer over HTTP."),
    "report": ("finegraft.cli.report", "Rebuild the report of a run."),
    "runs": ("finegraft.cli.runs", "A table of the runs below a folder."),
    "compare": ("finegraft.cli.compare", "Say which of two runs is better, and which photos changed sides."),
    "lr": ("finegraft.cli.lr", "Find a learning rate: the curve and a suggestion."),
    "backbones": ("finegraft.cli.backbones", "The pretrained models, and which are at hand offline."),
    "cache": ("finegraft.cli.cache", "See, limit or clear what is remembered."),
}

_HELP = """\
Type this first:

\b
  finegraft train PHOTOS -o RUN        PHOTOS holds one folder per class
  finegraft predict RUN photo.jpg
  finegraft predict imagenet photo.jpg   no training needed

Graft your own classes onto a model that can already see.
Add --json for machines, --debug for a traceback."""

STOPPED = 130  # as a shell reports a process ended by Ctrl-C
PIPE_CLOSED = 141  # as a shell reports a process whose reader went away


class _ReaderGone(Exception):
    """Nobody reads what we print. Not an OSError: click would end the process with a code of its own."""


class _Commands(click.Group):
    """Looks commands up in `COMMANDS`, and imports one only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            hint = did_you_mean(args[0], COMMANDS, f"There are: {', '.join(COMMANDS)}.", cutoff=0.5)
            raise click.UsageError(f"There is no command {args[0]!r}. {hint}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise _ReaderGone from error


def _show_version(ctx: click.Context, param: click.Parameter, wanted: bool) -> None:  # noqa: ARG001
    if wanted and not ctx.resilient_parsing:
        from finegraft.cli.environment import environment

        click.echo(f"finegraft {__version__}")
        for name, value in environment().items():
            click.echo(f"  {name:<12} {value}")
        ctx.exit()


@click.group(cls=_Commands, help=_HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and the environment.",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error. May stand behind a command too.")
def finegraft(debug: bool) -> None:
    """Hold the commands."""


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    interrupts.spare_imports()
    code = run(list(sys.argv[1:] if argv is None else argv))
    interrupts.ignore()
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """The exit code: 0 done, 1 a problem in data or files, 2 wrong usage, 130 stopped, 141 the reader went away."""
    # Must be set before torch loads its thread pool. Threads that spin while they wait save a fifth of a training's
    # time on free cores and cost ten times of it beside two busy neighbours.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    _mend_streams()
    debug, arguments = _without_debug(arguments)
    try:
        # Not standalone: click would map every error to a code of its own.
        code = finegraft.main(arguments, prog_name="finegraft", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (_ReaderGone, BrokenPipeError):
        _drop_output()
        return PIPE_CLOSED
    except (KeyboardInterrupt, click.Abort):
        _say("Stopped. Nothing half-written is left; what was computed is remembered.")
        return STOPPED
    except FinegraftError as error:
        return _explain(error, str(error), error.exit_code, debug)
    except OSError as error:
        _drop_output()
        name = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
        return _explain(error, f"{name}{error.strerror or error}.", 1, debug)
    except Exception as error:  # noqa: BLE001 - whatever it is, a person gets one message
        fault = f"{type(error).__name__}: {error}"
        return _explain(error, f"{fault}. This is a fault of finegraft: report it with what --debug shows.", 1, debug)


def _mend_streams() -> None:
    """A closed stream (`>&-`) swallows what is printed; a name that stdout cannot spell is printed with escapes."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _drop_output() -> None:
    """Print what is still held back, or let go of it where that fails: the interpreter would complain at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _without_debug(arguments: list[str]) -> tuple[bool, list[str]]:
    """`--debug` is taken wherever it stands before a lone `--`."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    kept = [a for a in arguments[:end] if a != "--debug"]
    return len(kept) < end, kept + arguments[end:]


def _explain(error: Exception, message: str, code: int, debug: bool) -> int:
    if debug:
        import traceback

        traceback.print_exception(error)
    _say(f"Error: {message}")
    return code


def _say(text: str) -> None:
    click.echo(printable(text), err=True)
