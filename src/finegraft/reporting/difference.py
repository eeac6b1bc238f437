"""How two runs differ, told in words and drawn on a ruler; the terminal and the page say the same."""

from __future__ import annotations

import math

from finegraft.evaluation.comparison import Comparison
from finegraft.evaluation.paired import Difference
from finegraft.reporting import axes, wording
from finegraft.reporting.axes import BARK, HAIR, LEAF, SOFT, Axis
from finegraft.reporting.markup import Html, tag

_LENGTHS = (1, 2, 5, 10, 20, 50, 100)  # points that a ruler may reach to either side


def points(share: float, sign: bool = True) -> str:
    """A difference of shares: (0.0321) -> "+3.2 points"; the sign may be left out."""
    number = _number(share, sign)
    return f"{number}\u00a0{'point' if number.lstrip('+−') == '1.0' else 'points'}"


def points_range(interval: tuple[float, float]) -> str:
    """(-0.012, 0.021) -> "−1.2 to +2.1"."""
    return " to ".join(_number(end, True) for end in interval)


def verdict(comparison: Comparison) -> str:
    """The outcome as a heading: "B is better"."""
    return comparison.verdict[0].upper() + comparison.verdict[1:]


def amount(comparison: Comparison) -> str:
    """By how much: "by 3.2 points (0.6 to 5.9)" of the better one, else of B, "B +0.8 points (−1.2 to +2.9)"."""
    found = comparison.leading
    if comparison.better is None:
        return f"B {points(found.value)} ({points_range(found.interval)})"
    low, high = sorted(abs(end) for end in found.interval)
    return f"by {points(abs(found.value), sign=False)} ({_number(low, False)} to {_number(high, False)})"


def word(comparison: Comparison) -> str:
    """What the figure that decides counts: "right", or "found" where it is the mean over the classes."""
    return "right" if comparison.leads == "accuracy" else "found"


def answers(comparison: Comparison, noun: str) -> str:
    """How often both say the same, and whose the others are."""
    counts, changes = comparison.counts, len(comparison.changes)
    if not changes:
        return f"Both give the same answer to every {noun}."
    still = len(comparison.of_kind("still-wrong"))
    parts = [f"{counts['only_b']:,} are right in B only", f"{counts['only_a']:,} in A only"]
    parts += [f"{still:,} in neither"] if still else []
    return (
        f"They agree on {wording.percent(comparison.agreement.value)}. Of the {wording.count(changes, 'answer')} that "
        f"{'differs' if changes == 1 else 'differ'}, {', '.join(parts)}."
    )


def chance(difference: Difference, noun: str) -> str:
    """How often chance would do as much, and where it might, how many records would tell."""
    if difference.value == 0:
        return ""
    often = f"Between two equally good models chance makes a difference this large {_often(difference.p)}."
    if difference.real or difference.needed is None:
        return often
    return f"{often} To show one this small, about {_round(difference.needed)}\u00a0{noun}s must be judged."


def second(comparison: Comparison) -> str:
    """The figure that does not decide, where the classes are unbalanced; else nothing."""
    if comparison.leads == "accuracy":
        return ""
    share = comparison.accuracy
    return (
        "The share found of each class, averaged over the classes, decides here, because rare classes hardly count in "
        f"the accuracy. It differs by {points(share.value)} ({points_range(share.interval)})."
    )


def ruler(comparison: Comparison) -> Html:
    """The difference with its interval on a ruler, A's side on the left, B's on the right, 0 between them."""
    difference = comparison.leading
    low, high = difference.interval
    reach = next(length for length in _LENGTHS if length >= 100 * max(-low, high) or length == _LENGTHS[-1]) / 100
    x = Axis(-reach, reach, 20, 540)
    colour = {"A": BARK, "B": LEAF, None: SOFT}[comparison.better]
    parts = [axes.line(x.start, 52, x.end, 52, SOFT)]
    for mark in (-reach, -reach / 2, 0.0, reach / 2, reach):
        parts.append(axes.line(x.at(mark), 52, x.at(mark), 60, SOFT))
        parts.append(axes.text(x.at(mark), 82, _number(mark, True, whole=True) if mark else "0 points", SOFT, "middle"))
    parts.append(axes.line(x.at(0), 10, x.at(0), 60, SOFT, 1.5))
    parts += [axes.text(x.at(0) - 10, 22, "A better", SOFT, "end"), axes.text(x.at(0) + 10, 22, "B better", SOFT)]
    span = x.at(high) - x.at(low)
    parts.append(tag("rect", x=x.at(low), y=45, width=span, height=14, rx=7, fill=colour, fill_opacity=0.35))
    parts.append(axes.dot(x.at(difference.value), 52, colour, 8))
    found = f"{points(difference.value)} ({points_range(difference.interval)})"
    said = f"B less A: {found}"
    return axes.drawing(560, 92, said, f"A ruler of {points(reach, sign=False)} to either side. {said}.", parts)


def swing(fixed: int, broken: int, largest: int) -> Html:
    """A bar from the middle: to the right what only B has right, to the left what only A has; `largest` fills a side.

    The numbers are printed beside it, so it is silent for screen readers.
    """
    left, right = (50 * count / max(largest, 1) for count in (broken, fixed))
    return tag(
        "svg",
        tag("rect", width=100, height=8, fill=HAIR),
        tag("rect", x=50 - left, width=left, height=8, fill=BARK),
        tag("rect", x=50, width=right, height=8, fill=LEAF),
        viewBox="0 0 100 8",
        preserveAspectRatio="none",
        class_="bar",
        aria_hidden="true",
        focusable="false",
    )


def _number(share: float, sign: bool, whole: bool = False) -> str:
    """Points to one decimal, or none where `whole`; to two where one would show 0.0 for what is not."""
    value = round(100 * abs(share), 6)
    shown = f"{value:.{2 if 0 < value < 0.05 else 0 if whole and value.is_integer() else 1}f}"
    if share == 0 or not sign:
        return shown
    return f"{'+' if share > 0 else '−'}{shown}"


def _often(p: float) -> str:
    if p < 0.001:
        return "less than once in 1,000 comparisons"
    return f"in {100 * p:.0f} of 100 comparisons" if p >= 0.095 else f"in {1000 * p:.0f} of 1,000 comparisons"


def _round(number: int) -> str:
    """A number to two figures: 4,137 -> 4,100."""
    step = 10 ** max(0, math.floor(math.log10(max(number, 1))) - 1)
    return f"{math.ceil(number / step) * step:,}"
