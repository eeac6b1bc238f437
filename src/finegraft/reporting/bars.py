"""One number as a length: the ruler under the verdict, the bars of tables and rankings."""

from __future__ import annotations

from finegraft.reporting import axes, wording
from finegraft.reporting.axes import HAIR, LEAF, SOFT, Axis
from finegraft.reporting.markup import Html, tag


def share_ruler(value: float, interval: tuple[float, float] | None, guess: float | None, word: str = "right") -> Html:
    """A ruler from 0 to 100 %: the share `value` of what is `word` ("right", "found") with its interval, and `guess`,
    what always naming the commonest class would give.
    """
    x = Axis(0, 1, 12, 548)
    parts = [axes.line(x.start, 40, x.end, 40, SOFT)]
    parts += [axes.line(x.at(t / 10), 40, x.at(t / 10), 52 if t % 5 == 0 else 46, SOFT) for t in range(11)]
    for share, at, anchor in ((0.0, 0.0, None), (0.5, x.at(0.5), "middle"), (1.0, 560.0, "end")):
        parts.append(axes.text(at, 72, f"{100 * share:.0f}\u00a0%", SOFT, anchor))
    said = f"{wording.percent(value)} {word}"
    if interval is not None:
        width = x.at(interval[1]) - x.at(interval[0])
        parts.append(tag("rect", x=x.at(interval[0]), y=33, width=width, height=14, rx=7, fill=LEAF, fill_opacity=0.35))
        said += f", between {wording.percent_range(interval)}"
    if guess is not None:
        parts += _guess(x, guess, value)
        said += f"; always naming the commonest class would give {wording.percent(guess)}"
    parts.append(axes.dot(x.at(value), 40, LEAF, 8))
    return axes.drawing(560, 80, said, f"A ruler from 0 to 100 %. {said}.", parts)


def _guess(x: Axis, guess: float, value: float) -> list[Html]:
    """The mark of the guess, its words turned to the side where they do not cover the accuracy."""
    here = x.at(guess)
    words = f"always the commonest class: {100 * guess:.0f}\u00a0%"
    anchor = "end" if guess > 0.5 else None
    beside = here + 6 if anchor is None else here - 6
    marks = [axes.line(here, 10, here, 40, SOFT, 1.5)]
    if abs(value - guess) < 0.02:
        return marks
    return [*marks, axes.text(beside, 20, words, SOFT, anchor)]


def share_bar(share: float, colour: str = LEAF) -> Html:
    """A bar as long as `share` (0..1), beside a number that is printed as well (so it is silent for screen readers)."""
    width = 100 * min(1.0, max(0.0, share))
    return tag(
        "svg",
        tag("rect", width=100, height=8, fill=HAIR),
        tag("rect", width=width, height=8, fill=colour),
        viewBox="0 0 100 8",
        preserveAspectRatio="none",
        class_="bar",
        aria_hidden="true",
        focusable="false",
    )
