"""The options that say how DATA is to be read, the same for every command that reads it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from finegraft.cli.output import Counter
from finegraft.cli.printable import printable
from finegraft.errors import UsageError

if TYPE_CHECKING:
    from finegraft.data.dataset import Dataset
    from finegraft.features.store import Store

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class DataOptions:
    """The options as typed; see `finegraft.vision.read` for what they mean."""

    target: str | None = None
    path: str | None = None
    columns: tuple[str, ...] | None = None
    group: str | None = None
    split_column: str | None = None
    test: str | None = None

    @classmethod
    def taken_from(cls, options: dict[str, Any]) -> DataOptions:
        """These options, taken out of all that a command was given."""
        return cls(**{field.name: options.pop(field.name) for field in fields(cls) if field.name in options})

    def read(self, data: str, store: Store) -> Dataset:
        """The photos of `data`, each opened once; which columns of a table were taken for what is said on stderr.

        Raises `UsageError` for an empty name: it would be the current folder, and comes of a variable that is not set.
        """
        if not data:
            raise UsageError("DATA is empty.", "Name a folder, a table or an archive; the current folder is a dot.")
        from finegraft.features.memory import CheckMemory
        from finegraft.vision.sources import read

        with _told():
            return read(data, **asdict(self), memory=CheckMemory(store), progress=Counter("checked"))

    def to_json(self) -> dict[str, Any]:
        """What run.json keeps, from which the same data can be read again."""
        return {**asdict(self), "test": None if self.test is None else str(Path(self.test).resolve())}


def data_options(command: F) -> F:
    """The options of a command that learns from DATA, or looks at it."""
    test = click.option("--test", metavar="FILE|FOLDER", help="The test part, where DATA has none: it is only judged.")
    return labelled_options(test(command))


def labelled_options(command: F) -> F:
    """The same for a command that only judges: all of its DATA may be the test part."""
    options = (
        click.option(
            "--target",
            metavar="COL[,COL]",
            help="Column of a table that holds the labels; several columns of 0 and 1 are several labels to a photo.",
        ),
        click.option("--path", metavar="COL", help="Column of a table that holds the paths of the photos."),
        click.option(
            "--columns", metavar="A,B,…", callback=_names, help="Names of the columns of a table without a header."
        ),
        click.option(
            "--group",
            metavar="COL|REGEX",
            help="What stays on one side of every split: a column, or a pattern (its first group) in the path.",
        ),
        click.option("--split-column", metavar="COL", help="Column that says train, valid or test; or True for valid."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _names(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...] | None:  # noqa: ARG001
    return None if value is None else tuple(name.strip() for name in value.split(","))


class _Echo(logging.Handler):
    """Prints what finegraft logs on stderr, a line each."""

    def emit(self, record: logging.LogRecord) -> None:
        click.echo(printable(record.getMessage()), err=True)


@contextmanager
def _told() -> Iterator[None]:
    """While photos are read, what finegraft notes of them is told, not only what it warns of."""
    log, handler = logging.getLogger("finegraft"), _Echo()
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
