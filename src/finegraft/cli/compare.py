"""`finegraft compare A B`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from finegraft.cli.model import run_of
from finegraft.cli.output import json_option, must_be_writable, percent, print_json
from finegraft.cli.printable import printable
from finegraft.errors import DataError, RunError, UsageError

if TYPE_CHECKING:
    from finegraft.evaluation.changes import Change
    from finegraft.evaluation.common_ground import CommonGround
    from finegraft.evaluation.comparison import Comparison
    from finegraft.evaluation.result import Evaluation
    from finegraft.evaluation.run import Run

_SHOWN = 6  # changed photos that are named in the terminal
_KINDS = {"fixed": "only B is right", "broken": "only A is right", "still-wrong": "both are wrong"}


@click.command("compare")
@click.argument("a")
@click.argument("b")
@click.option("--html", metavar="FILE", help="Write a page with the photos whose answers changed.")
@json_option
def command(a: str, b: str, html: str | None, as_json: bool) -> None:
    """
    \b
      finegraft compare RUN RUN2
      finegraft compare RUN RUN2 --html changes.html

    Say whether run B is better than run A, by the photos that both were judged on: the difference with its interval,
    whether chance would do as much, and which photos changed sides. Photos that one of them learned from are left out.
    """
    if html is not None:
        must_be_writable(Path(html))
    run_a, run_b = _open(a), _open(b)
    if run_a.path.resolve() == run_b.path.resolve():
        raise UsageError(f"{a} and {b} are the same run.", "Give two runs: `finegraft runs .` lists what there is.")
    if _kind(run_a) == _kind(run_b) != "category":
        _others(run_a, run_b, html, as_json)
        return
    comparison, ground, caveats = _compared(run_a, run_b)
    if html is not None:
        from finegraft.reporting.comparison import comparison_page

        comparison_page(comparison, run_a, run_b, caveats, html)
    if as_json:
        sides = {"a": _side(run_a, comparison.a), "b": _side(run_b, comparison.b)}
        print_json({"path": html, **sides, **comparison.to_json(), "left_out": ground.to_json(), "warnings": caveats})
        return
    for line in caveats:
        click.echo(printable(line), err=True)
    click.echo("\n".join(map(printable, _told(comparison, a, b, html))))


def _open(text: str) -> Run:
    """The run in the folder `text`. Raises `RunError` for anything else, with the run of a bundle where it is known."""
    from finegraft.evaluation.run import Run

    if not Path(text).is_file():
        return Run.open(text)
    run = run_of(text)
    mend = "Give the folder that `train -o` made." if run is None else f"Give its run: {shlex.quote(str(run.path))}"
    raise RunError(f"{text} is a file, and only a RUN folder holds the answers that are compared.", mend)


def _compared(run_a: Run, run_b: Run) -> tuple[Comparison, CommonGround, list[str]]:
    """Both on the photos that neither learned from, and what a reader must be warned of."""
    from finegraft.evaluation.common_ground import common_ground
    from finegraft.evaluation.comparison import compare
    from finegraft.evaluation.leakage import without

    a, b = _evaluation(run_a), _evaluation(run_b)
    ground = common_ground(run_a.dataset(), run_b.dataset(), a.keys, b.keys)
    kept_a, kept_b = (without(side, ground.left_out) for side in (a, b))
    if kept_a is None or kept_b is None or not set(kept_a.keys) & set(kept_b.keys):
        why = _left_out(ground)
        raise DataError(
            f"There is nothing to compare: no photo was judged by both runs and learned from by neither. "
            f"A judged {len(a):,}, B {len(b):,}. {' '.join(why)}".strip(),
            "Train both on the same data with the same --seed: then the same photos are held out.",
        )
    comparison = compare(kept_a, kept_b)
    return comparison, ground, [*_other_parts(run_a, run_b), *_left_out(ground), *_few(comparison, min(len(a), len(b)))]


def _kind(run: Run) -> str:
    return str(dict(run.settings.get("target") or {}).get("kind", "category"))


def _others(run_a: Run, run_b: Run, html: str | None, as_json: bool) -> None:
    """Two runs with tags, or with numbers."""
    from finegraft.cli.versus import compared, told
    from finegraft.evaluation.common_ground import common_ground

    if html is not None:
        raise UsageError("--html shows photos that changed classes, and these runs answer with none.", "Leave it out.")
    side_a, side_b = run_a.evaluation(), run_b.evaluation()
    ground = common_ground(run_a.dataset(), run_b.dataset(), side_a.keys, side_b.keys)
    found = compared(side_a, side_b, ground.left_out)
    caveats = [*_other_parts(run_a, run_b), *_left_out(ground)]
    if as_json:
        sides = {
            name: {"run": str(run.path), "judged_on": run.settings.get("judged_on"), **figure}
            for name, run, figure in (("a", run_a, found.figure(found.a)), ("b", run_b, found.figure(found.b)))
        }
        print_json({"path": None, **sides, **found.to_json(), "left_out": ground.to_json(), "warnings": caveats})
        return
    for line in caveats:
        click.echo(printable(line), err=True)
    click.echo("\n".join(map(printable, told(found, str(run_a.path), str(run_b.path)))))


def _evaluation(run: Run) -> Evaluation:
    """The answers of `run`. Raises `RunError` where it does not tell classes apart."""
    from finegraft.evaluation.result import Evaluation

    kind = _kind(run)
    evaluation = run.evaluation() if kind == "category" else None
    if not isinstance(evaluation, Evaluation):
        what = "tags" if kind == "tags" else "a number"
        raise RunError(f"The run {run.path} answers with {what}.", "Compare two runs that answer alike.")
    return evaluation


def _other_parts(run_a: Run, run_b: Run) -> list[str]:
    parts = [str(run.settings.get("judged_on")) for run in (run_a, run_b)]
    if parts[0] == parts[1]:
        return []
    return [f"A was judged on its {parts[0]} part, B on its {parts[1]} part: they are not the same kind of test."]


def _left_out(ground: CommonGround) -> list[str]:
    """Which photos are not compared, and why."""
    learned = (("B", "A", ground.learned_by_a), ("A", "B", ground.learned_by_b))
    said = [
        f"{_photos(len(keys))} that {judge} was judged on {_are(len(keys))} left out: {learner} learned from the same "
        "content or group."
        for judge, learner, keys in learned
        if keys
    ]
    others = len(ground.other_content)
    if others:
        said.append(f"{_photos(others)} {_are(others)} left out: A and B have different files of that name.")
    return said


def _few(comparison: Comparison, judged: int) -> list[str]:
    if len(comparison) >= judged / 2:
        return []
    return [
        f"Only {len(comparison):,} of {judged:,} judged photos can be compared. Train both with the same --seed on the "
        "same data: then the same photos are held out."
    ]


def _photos(number: int) -> str:
    return f"{number:,} {'photo' if number == 1 else 'photos'}"


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _side(run: Run, evaluation: Evaluation) -> dict[str, Any]:
    """What `--json` says of one of the two, on the photos that are compared."""
    found = evaluation.metrics()
    return {
        "run": str(run.path),
        "judged_on": run.settings.get("judged_on"),
        **{name: found[name].to_json() for name in ("accuracy", "macro_recall")},
    }


def _told(comparison: Comparison, a: str, b: str, html: str | None) -> list[str]:
    """What a person reads: the verdict first."""
    from finegraft.reporting import difference

    amount = difference.amount(comparison)
    page = shlex.join(["finegraft", "compare", a, b, "--html", "changes.html"])
    lines = [
        f"{difference.verdict(comparison)}{' ' if comparison.better else ': '}{amount}, 95 % interval, on "
        f"{_photos(len(comparison))} that both were judged on.",
        *_figures(comparison, a, b),
        difference.second(comparison),
        difference.answers(comparison, "photo"),
        difference.chance(comparison.leading, "photo"),
        *_changes(comparison.changes),
        f"Page: {html}" if html else f"With pictures: {page}",
    ]
    return [line.replace("\u00a0", " ") for line in lines if line]


def _figures(comparison: Comparison, a: str, b: str) -> list[str]:
    """The figure of each that decides, a line for each."""
    width = max(len(a), len(b))
    lines = []
    for side, text, evaluation in (("A", a, comparison.a), ("B", b, comparison.b)):
        metric = evaluation.metrics()[comparison.leads]
        low, high = metric.interval or (0.0, 1.0)
        word = "right" if comparison.leads == "accuracy" else "found"
        lines.append(f"  {side}  {text:<{width}}  {percent(metric.value)} {word} ({percent(low)} to {percent(high)})")
    return lines


def _changes(changes: Sequence[Change]) -> list[str]:
    """The first few changes, the most surprising first."""
    rows = [
        (
            f"  {_KINDS[change.kind]}",
            change.key,
            f"{change.label}; A said {change.a.label}, {percent(change.a.probability)}",
            f"B {change.b.label}, {percent(change.b.probability)}",
        )
        for change in changes[:_SHOWN]
    ]
    if not rows:
        return []
    more = len(changes) - len(rows)
    return [
        "Changed, where the two are furthest apart first:",
        *(f"{kind:<18}  {key}: {said}, {then}" for kind, key, said, then in rows),
        *([f"  and {more:,} more"] if more else []),
    ]
