"""Photos to learn from: every file of a source opened once, as a record, or left out with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from finegraft.data.dataset import Dataset
from finegraft.data.findings import Finding
from finegraft.data.kinds import kind_of
from finegraft.data.labels import Reading
from finegraft.data.record import Record
from finegraft.errors import DataError
from finegraft.vision.archives import list_archive, list_top
from finegraft.vision.checked import Checked, Checks
from finegraft.vision.checks import Progress, check_files
from finegraft.vision.columns import Wanted
from finegraft.vision.doubts import doubted
from finegraft.vision.listing import LAY_OUT, Found, Listing, Paths
from finegraft.vision.placing import placed
from finegraft.vision.remembering import Memory
from finegraft.vision.tables import list_table
from finegraft.vision.testpart import with_test_part
from finegraft.vision.traits import traits_of


def read(
    source: str | Path,
    *,
    target: str | Sequence[str] | None = None,
    path: str | None = None,
    group: str | None = None,
    columns: Sequence[str] | None = None,
    split_column: str | None = None,
    test: str | Path | None = None,
    memory: Memory | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Every photo of `source`, opened once and checked: a folder of class folders, a table, or an archive of these.

    In a *folder* the innermost folder names the class; folders named train, training, valid, validation, val, test or
    testing above the class folders are given splits. Every file that is not hidden becomes a record, whatever its
    name; one that cannot be used is left out, with a finding that says why. A RUN folder below `source` is no data: it
    is passed over without a finding, as hidden files are.

    A *table* (CSV, TSV, Parquet, or a list with a path and a label to a line) has a row for each photo. `path` is the
    column of paths, relative to the folder of the table, and `target` that of labels (default for both: found by its
    cells and name): one class, several tags or a number to a row, see `finegraft.data.labels.reading_of`. Several
    `target` columns of 0 and 1 are tags. `columns` names the columns of a file without a header, `split_column` holds
    given splits, see `finegraft.vision.given.splits_of`.

    An *archive* (zip, tar) is unpacked once, into the cache; see `finegraft.data.archives`. Where `target` is given, a
    folder or archive with a table at its top is that table.

    What the photos look like, their folders above the class folders, and the other columns of a table become the
    `traits` of the records; see `finegraft.vision.traits` and `finegraft.data.traits`.

    `group` says what stays on one side of every split: a column of a table, or a regular expression whose first group
    (else whole match) in the path names it. `test` is a second source, read in the same way, that is the test part.
    `memory` keeps results between calls, `progress(done, total)` is told of every file.

    Raises `DataError` for what is no such source, and `UsageError` where options and source do not fit.
    """
    wanted = Wanted(target, path, group, columns, split_column)
    # What was listed is let go before doubts are raised: together they would take twice the memory.
    dataset, checks = _opened(_listings(Path(source), test, wanted), memory, progress)
    return doubted(dataset, checks, memory)


def _listings(source: Path, test: str | Path | None, wanted: Wanted) -> Sequence[Listing]:
    main = listed(source, wanted)
    if test is None:
        return (main,)
    of_test = replace(wanted, split_column=None, test_part=True)
    return with_test_part(main, listed(Path(test), of_test, main.reading))


def _opened(listings: Sequence[Listing], memory: Memory | None, progress: Progress | None) -> tuple[Dataset, Checks]:
    """The records of all that was found, sorted by key, and what opening each has shown."""
    owned = sorted(((found, listing) for listing in listings for found in listing.found), key=lambda pair: pair[0].key)
    root = listings[0].root
    checks = _checked(root, [found for found, _ in owned], memory, progress)
    records, findings = [], [finding for listing in listings for finding in listing.findings]
    for found, check in zip(placed(owned, checks.problems), checks, strict=True):
        record, finding = _judged(found, check)
        records.append(record)
        findings += [finding] if finding else []
    dataset = Dataset(tuple(records), root, "vision", tuple(findings), traits_of(owned, checks.looks))
    _must_fit(dataset, listings, len(checks) - len(checks.problems))
    return dataset, checks


def listed(source: Path, wanted: Wanted, reading: Reading | None = None) -> Listing:
    """What `source` holds, before any photo is opened. Raises as `read` does."""
    if not source.exists():
        raise DataError(f"There is no file or folder {source}.", "Check the path.")
    if source.is_dir():
        return list_top(source, wanted, reading)
    kind = kind_of(source)
    if kind in ("zip", "tar"):
        return list_archive(source, wanted, reading)
    if kind in ("text", "parquet"):
        return list_table(source, wanted, reading=reading)
    what = "is empty" if kind == "empty" else "is neither a table nor an archive"
    raise DataError(f"{source} {what}.", "Give the folder that holds the class folders, or a table of them.")


def _checked(root: Path, found: Sequence[Found], memory: Memory | None, progress: Progress | None) -> Checks:
    """What opening each file has shown, in the order of `found`; what was found unusable before is not opened."""
    places = [at for at, one in enumerate(found) if one.code is None]
    opened = check_files(Paths(root, [found[at] for at in places]), memory, progress)
    if len(places) == len(found):
        return opened
    checks = Checks.nothing(len(found))
    checks.digests[places], checks.looks[places] = opened.digests, opened.looks
    checks.problems.update({places[at]: problem for at, problem in opened.problems.items()})
    checks.problems.update({at: (one.code, one.reason or "") for at, one in enumerate(found) if one.code is not None})
    return checks


def _judged(found: Found, check: Checked) -> tuple[Record, Finding | None]:
    """The record of a file, and why it is left out: what is wrong with its content comes before its place."""
    code, reason = (check.code, check.reason) if check.code else (found.code, found.reason)
    if found.row is not None and found.code is None and code is not None and not check.digest:
        reason = f"Row {found.row}: {reason}"  # it names no file that is there
    record = Record(found.key, check.digest, found.label, found.split, reason, found.group)
    return record, Finding(found.key, code, 1.0, reason or "") if code else None


def _must_fit(dataset: Dataset, listings: Sequence[Listing], good: int) -> None:
    """Raise `DataError` for a folder of photos without classes, and for labels of two kinds."""
    if good and not dataset.usable and listings[0].by_folder:
        source = listings[0].source
        raise DataError(f"{source} holds {good} photos but no class folders.", LAY_OUT.format(source))
    kinds = {type(record.label) for record in dataset.usable}
    if len(kinds) > 1:
        raise DataError(
            "The labels of the data and those of the test part are of different kinds.",
            "Both must be classes, or tags, or numbers.",
        )
