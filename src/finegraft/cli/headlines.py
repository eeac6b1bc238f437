"""What a person reads first of an evaluation, whatever was answered."""

from __future__ import annotations

from finegraft.cli.output import between, headline, percent
from finegraft.cli.printable import printable
from finegraft.evaluation.kinds import AnyEvaluation
from finegraft.evaluation.metrics import Metric
from finegraft.evaluation.numbers import NumberEvaluation
from finegraft.evaluation.result import Evaluation
from finegraft.evaluation.tag_metrics import TagScore
from finegraft.evaluation.tags import TagsEvaluation


def headlines(evaluation: AnyEvaluation, part: str, metric: str | None = None) -> list[str]:
    """The lines on how good the answers to the `part` are; the figure called `metric` comes first where it is given."""
    first = [] if metric is None else [_asked(evaluation, metric)]
    if isinstance(evaluation, Evaluation):
        return [*first, *headline(evaluation, part)]
    told = _tags(evaluation, part) if isinstance(evaluation, TagsEvaluation) else _numbers(evaluation, part)
    return [*first, *told]


def _asked(evaluation: AnyEvaluation, name: str) -> str:
    found = evaluation.metrics().get(name)
    called = name.replace("_", " ")
    if found is None:
        return f"{called}: these records do not have it."
    return f"{called}: {_number(found)}."


def _tags(evaluation: TagsEvaluation, part: str) -> list[str]:
    found = evaluation.metrics()
    exact, f1 = found["exact_match"], found["micro_f1"]
    told = ("exact_match", "micro_f1")
    figures = ", ".join(f"{name.replace('_', ' ')} {m.value:.3f}" for name, m in found.items() if name not in told)
    there = [score for score in evaluation.per_tag() if score.support]
    weakest = min(there, key=lambda score: (score.f1.value, score.support, score.label), default=None)
    return [
        f"{percent(exact.value)} with all tags right ({between(exact.interval)}, 95 % interval) on {len(evaluation):,} "
        f"photos of the {part} part.",
        f"F1 of all tags: {f1}. Also: {figures}.",
        *([] if weakest is None else [printable(_weakest(weakest))]),
    ]


def _weakest(score: TagScore) -> str:
    hits = round(score.recall.value * score.support)
    found = f"{hits:,} of {score.support:,} found"
    return f"Weakest tag: {score.label}, {found}, {hits:,} of {score.answered:,} answers right."


def _numbers(evaluation: NumberEvaluation, part: str) -> list[str]:
    found, base = evaluation.metrics(), evaluation.baseline()["mae"]
    figures = ", ".join(f"{name.replace('_', ' ')} {_number(m)}" for name, m in found.items() if name != "mae")
    return [
        f"Off by {_number(found['mae'])} on average (95 % interval; MAE) on {len(evaluation):,} photos of the {part} "
        f"part. Always answering their mean would be off by {base:.4g}.",
        f"Also: {figures}.",
    ]


def _number(metric: Metric) -> str:
    """To four figures, with its interval."""
    low_high = "" if metric.interval is None else f" ({metric.interval[0]:.4g} to {metric.interval[1]:.4g})"
    return f"{metric.value:.4g}{low_high}"
