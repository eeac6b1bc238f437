"""Measure promises: `make accept`, `make accept ONLY=spine-4`.

Prints a row for each as it is measured, keeps the table in benchmarks/ACCEPTANCE.md, and ends with 1 when a row
measured now fails, 2 when no promise has the name asked for.
"""

from __future__ import annotations

import argparse
import difflib
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import ledger
from benchmarks.ledger import Row
from benchmarks.promise import CannotMeasureError, Promise, Verdict
from benchmarks.promises import ALL
from benchmarks.workshop import DATA, Workshop

LEDGER = Path(__file__).with_name("acceptance.json")


def chosen(promises: Sequence[Promise], only: str | None) -> list[Promise]:
    """The promises whose id is one of `only` (names with commas between) or begins with one of them and a "-".

    Raises `ValueError` for a name that fits none.
    """
    if not only:
        return list(promises)
    names = [name.strip() for name in only.split(",") if name.strip()]
    for name in names:
        if not any(_fits(promise, name) for promise in promises):
            near = difflib.get_close_matches(name, [promise.id for promise in promises], n=3, cutoff=0.3)
            hint = f"did you mean {', '.join(near)}?" if near else "--list shows those there are."
            raise ValueError(f"No promise is called {name!r}: {hint}")
    return [promise for promise in promises if any(_fits(promise, name) for name in names)]


def _fits(promise: Promise, name: str) -> bool:
    return promise.id == name or promise.id.startswith(f"{name}-")


def measured(promise: Promise, workshop: Workshop) -> Row:
    """Measure one promise; whatever goes wrong becomes its row."""
    figures: dict[str, object] = {}
    verdict: Verdict
    try:
        found = promise.measure(workshop)
        words, figures = found.words, {"number": found.number, **found.figures}
        verdict = "pass" if promise.wanted.holds(found.number) else "fail"
    except CannotMeasureError as reason:
        words, verdict = str(reason), "skipped"
    except Exception as error:  # noqa: BLE001  (one broken measurement must not hide the others)
        words, verdict = f"not measured: {type(error).__name__}: {error}", "fail"
    date = datetime.now(UTC).date().isoformat()
    return Row(promise.id, promise.what, promise.wanted.words, words, promise.command, verdict, date, figures)


def main(words: Sequence[str] | None = None) -> int:
    """The command. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="make accept", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", help="ids or beginnings of ids, with commas between")
    parser.add_argument("--data", type=Path, default=DATA, help="the developers' data (default: ../shared/data)")
    parser.add_argument("--list", action="store_true", help="only print the promises")
    given = parser.parse_args(words)
    try:
        promises = chosen(ALL, given.only)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    if given.list:
        print("\n".join(f"{promise.id:24} {promise.what}: {promise.wanted.words}" for promise in promises))
        return 0
    return _measure_all(promises, given.data)


def _measure_all(promises: Sequence[Promise], data: Path) -> int:
    failed = 0
    with tempfile.TemporaryDirectory(prefix="finegraft-accept-") as scratch:
        workshop = Workshop(Path(scratch), data.resolve())
        for promise in promises:
            print(f"{promise.id} …", file=sys.stderr, flush=True)
            start = time.perf_counter()
            row = measured(promise, workshop)
            failed += row.verdict == "fail"
            print(f"{row.verdict:8} {row.id:24} {row.what}: wanted {row.wanted}; {row.measured}", flush=True)
            print(f"  {time.perf_counter() - start:.0f} s", file=sys.stderr)
            # After every row: a run broken off keeps what it has.
            ledger.write(ledger.merge(ledger.read(LEDGER), [row], [promise.id for promise in ALL]), LEDGER)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
