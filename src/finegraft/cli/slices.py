"""Where answers are worse, for `--json`, run.json and the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from finegraft.cli.output import percent
from finegraft.cli.printable import printable

if TYPE_CHECKING:
    from finegraft.evaluation.result import Evaluation

_MOST = 100  # rows that are kept, the worst ones: a wide table gives more than anyone reads
_NAMED = 3  # slices that the terminal names


def slices_json(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Every slice that was looked at, worst first, at most 100; see `finegraft.evaluation.slices`."""
    from finegraft.evaluation.slices import slices  # heavy: what only speaks does not wait for it

    return [one.to_json() for one in slices(evaluation)[:_MOST]]


def standing_out(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line on the slices among `rows` that stand out; nothing where none does."""
    worst = [row for row in rows if row["stands_out"]]
    if not worst:
        return []
    named = "; ".join(
        f"{row['slice']} ({percent(row['accuracy'])} of {row['n']:,} right, {percent(row['rest'])} of the others)"
        for row in worst[:_NAMED]
    )
    more = f"; {len(worst) - _NAMED} more" if len(worst) > _NAMED else ""
    return [printable(f"Worse, and not by chance: {named}{more}.")]
