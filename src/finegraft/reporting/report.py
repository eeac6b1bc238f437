"""The report of a run: one HTML file that needs nothing else, neither network nor script."""

from __future__ import annotations

import shlex
from itertools import chain
from pathlib import Path

from finegraft.data.atomic import write_atomically
from finegraft.evaluation.numbers import NumberEvaluation
from finegraft.evaluation.result import Evaluation
from finegraft.evaluation.run import Run
from finegraft.evaluation.tags import TagsEvaluation
from finegraft.reporting import (
    binary,
    cells,
    doubt,
    growth,
    judged,
    learned,
    merits,
    numeric,
    origin,
    pairs,
    reliability,
    slicing,
    tagged,
    verdict,
    wording,
)
from finegraft.reporting.leading import leading
from finegraft.reporting.material import Material
from finegraft.reporting.page import Section, command, document, paragraph, section


def report(source: Run | Evaluation | TagsEvaluation | NumberEvaluation, path: str | Path) -> Path:
    """Write the report of `source` to `path` and return the path.

    Of a run it tells everything, all of it read from the run's files; of an evaluation alone, how good the answers
    are and where they err. Its photos are made from the data's own folder, where that is still in its place. Raises
    `StorageError` where `path` cannot be written.
    """
    target = Path(path)
    write_atomically(target, _page(source).encode())
    return target


def _page(source: Run | Evaluation | TagsEvaluation | NumberEvaluation) -> str:
    if isinstance(source, TagsEvaluation):
        return tagged.page_of_tags(source)
    if isinstance(source, NumberEvaluation):
        return numeric.page_of_numbers(source)
    return page_of(Material.of(source))


def page_of(material: Material) -> str:
    """The whole page, as text, in the order in which a reader asks: how good, where not, how sure, why, from what."""
    wanted = (pairs.wanted, judged.wanted, doubt.wanted, cells.wanted)  # the budget is spent in this order
    material.album.prepare(chain.from_iterable(keys(material) for keys in wanted))
    header, sections = verdict.header(material), _sections(material)
    files = "Every number here is in the files of the run; no photo carries its EXIF data or place."
    footer = f"Made by finegraft. {files if material.settings else 'Every number here comes from the evaluation.'}"
    return document(_title(material), header, sections, footer, material.album.held())


def _sections(material: Material) -> list[Section]:
    sections = [judged.mistakes(material), judged.losses(material), merits.merits(material)]
    sections += [reliability.calibration(material), doubt.unsure(material)]
    two = binary.binary(material)
    sections += [two] if two is not None else []
    if material.settings:
        sections += [growth.growth(material), slicing.slicing(material)]
    sections += [judged.classes(material), origin.data(material)]
    if material.settings:
        sections += [learned.curves(material), origin.making(material), _use(material)]
    return sections


def _title(material: Material) -> str:
    first = leading(material.evaluation)
    said = f"{wording.percent(first.metric.value)} {first.word}"
    return f"{material.folder.name}: {said}" if material.folder else said


def _use(material: Material) -> Section:
    """What to type next."""
    run = shlex.quote(str(material.folder))
    steps = [
        ("Ask it about one photo, or a whole folder with a page to look at:", f"finegraft predict {run} photo.jpg"),
        ("", f"finegraft predict {run} photos/ --html answers.html"),
        ("Score it on labelled photos it has not seen:", f"finegraft eval {run} photos/"),
        (
            "From Python:",
            f'import finegraft as fg\nfg.load({_quoted(Path(str(material.folder)) / "model.fg")}).predict("photo.jpg")',
        ),
    ]
    parts = [
        part for words, line in steps for part in ((paragraph(words), command(line)) if words else (command(line),))
    ]
    return section("use", "Use it", *parts)


def _quoted(path: Path) -> str:
    """`path` as Python writes a text, in double quotes where these need no escape, as everywhere in our examples."""
    written = repr(str(path))
    return f'"{written[1:-1]}"' if written.startswith("'") and '"' not in written else written
