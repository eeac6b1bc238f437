"""Where it is worse: the judged records sliced by what is known of them, worst first."""

from __future__ import annotations

from collections.abc import Sequence

from finegraft.evaluation.slices import FEWEST, Slice, slices
from finegraft.reporting import wording
from finegraft.reporting.bars import share_bar
from finegraft.reporting.markup import Child, Html, name, tag
from finegraft.reporting.material import Material
from finegraft.reporting.page import Column, Section, answer, nothing, section, table, term, unfolding

_SHOWN = 10  # slices that are shown without asking; those that stand out always are

# What the traits that every photo has mean. A column of a table speaks for itself.
_MEANINGS = {
    "brightness": "from 0, black, to 1, white",
    "shorter side": "in pixels",
    "blur": "from 0, sharp, to 1",
    "elongation": "the longer side by the shorter one",
    "folder": "the folders above the class",
}


def slicing(material: Material) -> Section:
    """Every slice that was looked at, and whether chance explains that it is worse."""
    return section("slices", "Where it is worse", *_body(material))


def _body(material: Material) -> list[Html]:
    traits = material.evaluation.traits
    if not traits:
        why = "Nothing is known of these records besides their class. "
        return [nothing(why, "A training of this version keeps brightness, size, blur and the columns of a table.")]
    found = slices(material.evaluation)
    if not found:
        return [
            nothing(
                f"Too few were judged to look closer: {material.counted(FEWEST)} with something in common are "
                "needed, and as many others of the same classes."
            )
        ]
    many = max(_SHOWN, sum(one.stands_out for one in found))
    parts = [_verdict(material, found), _note(material), _table("Slices, worst first", found[:many])]
    if len(found) > many:
        rest = _table("More slices", found[many:])
        parts.append(unfolding(f"{wording.count(len(found) - many, 'more slice')}", rest))
    return parts


def _verdict(material: Material, found: Sequence[Slice]) -> Html:
    worst = [one for one in found if one.stands_out]
    looked_at = wording.count(len(found), "slice")
    if not worst:
        return answer(f"No slice stands out among {looked_at}: such differences come by chance alone.")
    first = worst[0]
    said = (
        f": {wording.percent(first.accuracy.value)} of {material.counted(first.n)} are right, where "
        f"{wording.percent(first.rest)} of the others are. That is more than chance makes among {looked_at} looked at."
    )
    more = len(worst) - 1
    others = f" {wording.count(more, 'more slice')} stand{'s' if more == 1 else ''} out too." if more else ""
    advice = f" More {material.noun}s like these to learn from are the first thing to try."
    return answer("It is worse for ", tag("strong", name(first.words)), said, others, advice)


def _note(material: Material) -> Html:
    """What is compared with what, and what the traits mean."""
    known = [f"{trait}: {_MEANINGS[trait]}" for trait in material.evaluation.traits if trait in _MEANINGS]
    means = f" {'; '.join(known).capitalize()}." if known else ""
    return tag(
        "p",
        "Others: those that are not in the slice, on as many of each class, so a slice is not worse for its hard "
        f"classes. What does not stand out may differ by chance alone.{means}",
        class_="note",
    )


def _table(caption: str, found: Sequence[Slice]) -> Html:
    columns = [
        Column("Slice"),
        Column("Judged", True),
        Column("Right", True),
        Column("Others", True),
        Column("Stands out"),
        Column("Share"),
        Column(term("Interval"), True),
    ]
    return table(caption, columns, [_row(one) for one in found])


def _row(one: Slice) -> list[Child]:
    interval = one.accuracy.interval
    return [
        name(one.words),
        f"{one.n:,}",
        wording.percent(one.accuracy.value),
        wording.percent(one.rest),
        tag("strong", "yes") if one.stands_out else "no",
        share_bar(one.accuracy.value),
        "–" if interval is None else wording.percent_range(interval),
    ]
