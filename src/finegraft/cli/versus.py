"""How `finegraft compare` tells of two runs with tags, or with numbers."""

from __future__ import annotations

from collections.abc import Collection

from finegraft.cli.output import percent
from finegraft.errors import DataError
from finegraft.evaluation import versus
from finegraft.evaluation.kinds import AnyEvaluation
from finegraft.evaluation.numbers import NumberEvaluation
from finegraft.evaluation.tags import TagsEvaluation
from finegraft.evaluation.versus import Versus

_CALLED = {"exact_match": "all tags right", "mae": "mean error"}


def compared(a: AnyEvaluation, b: AnyEvaluation, left_out: Collection[str]) -> Versus:
    """The two on the photos that both judged, without those `left_out`. Raises `DataError` where they do not fit."""
    if isinstance(a, TagsEvaluation) and isinstance(b, TagsEvaluation):
        return versus.of_tags(a, b, left_out)
    if isinstance(a, NumberEvaluation) and isinstance(b, NumberEvaluation):
        return versus.of_numbers(a, b, left_out)
    raise DataError("One of the two answers with tags, the other with numbers.", "Compare two runs that answer alike.")


def told(found: Versus, a: str, b: str) -> list[str]:
    """What a person reads: the verdict first, then the figure of each, and what chance does."""
    from finegraft.reporting.difference import chance  # heavy: what only prints JSON does not wait for it

    verdict, what = found.verdict[0].upper() + found.verdict[1:], _CALLED[found.leads]
    width = max(len(a), len(b))
    written = percent if found.leads == "exact_match" else "{:.4g}".format
    figures = [
        f"  {side}  {text:<{width}}  {written(evaluation.metrics()[found.leads].value)} {what}"
        for side, text, evaluation in (("A", a, found.a), ("B", b, found.b))
    ]
    many = f"{len(found):,} {'photo' if len(found) == 1 else 'photos'}"
    first = f"{verdict}: {what} {_amount(found)}, B less A, 95 % interval, on {many} that both were judged on."
    said = chance(found.difference, "photo").replace("\u00a0", " ")
    return [first, *figures, *([said] if said else [])]


def _amount(found: Versus) -> str:
    value, (low, high) = found.difference.value, found.difference.interval
    if found.leads == "exact_match":
        return f"{100 * value:+.1f} points ({100 * low:+.1f} to {100 * high:+.1f})"
    return f"{value:+.4g} ({low:+.4g} to {high:+.4g})"
