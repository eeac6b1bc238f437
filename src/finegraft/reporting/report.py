"""The report of a run: one HTML file that needs nothing else, neither network nor script."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from finegraft.data.atomic import write_atomically
from finegraft.evaluation.kinds import AnyEvaluation
from finegraft.evaluation.result import Evaluation
from finegraft.evaluation.run import Run
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
from finegraft.reporting.markup import Html
from finegraft.reporting.material import Material
from finegraft.reporting.page import Section, command, document, paragraph, section
from finegraft.reporting.tuned import fine_tuning
from finegraft.targets import Category, Number, Tags


def report(source: Run | AnyEvaluation, path: str | Path) -> Path:
    """Write the report of `source` to `path` and return the path.

    Of a run it tells everything, all of it read from the run's files; of an evaluation alone, how good the answers
    are and where they err. Its photos are made from the data's own folder, where that is still in its place. Raises
    `StorageError` where `path` cannot be written.
    """
    target = Path(path)
    write_atomically(target, page_of(Material.of(source)).encode())
    return target


def page_of(material: Material) -> str:
    """The whole page, as text, in the order in which a reader asks: how good, where not, how sure, why, from what."""
    own = _PAGES[material.judged.target.kind]
    material.album.prepare(chain.from_iterable(keys(material) for keys in own.wanted))
    header, parts = own.header(material), [*own.sections(material), *_common(material)]
    files = "Every number here is in the files of the run; no photo carries its EXIF data or place."
    footer = f"Made by finegraft. {files if material.settings else 'Every number here comes from the evaluation.'}"
    return document(own.title(material), header, parts, footer, material.album.held())


@dataclass(frozen=True)
class _Page:
    """What differs by what was answered: the title, the header, the sections on the answers, and the photos these
    show; the photos' budget is spent in the order of `wanted`.
    """

    title: Callable[[Material], str]
    header: Callable[[Material], Html]
    sections: Callable[[Material], list[Section]]
    wanted: Sequence[Callable[[Material], Iterable[str]]]


def _class_title(material: Material) -> str:
    first = leading(material.evaluation)
    return verdict.title(material, f"{wording.percent(first.metric.value)} {first.word}")


def _class_sections(material: Material) -> list[Section]:
    sections = [judged.mistakes(material), judged.losses(material), merits.merits(material)]
    sections += [reliability.calibration(material), doubt.unsure(material)]
    two = binary.binary(material)
    sections += [two] if two is not None else []
    if material.settings:
        sections += [growth.growth(material), slicing.slicing(material)]
    return [*sections, judged.classes(material)]


def _common(material: Material) -> list[Section]:
    """The data, how it was learned and made, and what to type next; the same for whatever was answered."""
    if not material.settings:
        return [origin.data(material)] if isinstance(material.judged, Evaluation) else []
    tuned = fine_tuning(material)
    learning = [learned.curves(material), *([] if tuned is None else [tuned])]
    return [origin.data(material), *learning, origin.making(material), _use(material)]


_PAGES = {
    Category.kind: _Page(
        _class_title, verdict.header, _class_sections, (pairs.wanted, judged.wanted, doubt.wanted, cells.wanted)
    ),
    Tags.kind: _Page(tagged.title, tagged.header, tagged.sections, (tagged.wanted,)),
    Number.kind: _Page(numeric.title, numeric.header, numeric.sections, (numeric.wanted,)),
}


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
