"""What `model.json` of a bundle holds, and the reader that believes none of it.

Fields: `format` (number of the format) · `finegraft` (the version that wrote it) · `modality` · `target` (kind, classes
or tags in order) · `preprocess` (with its decoder) · `backbone` (row) · `metrics` (name -> value, interval, and method
since there are several) · `temperature` (0.05 to 20, the bounds it is fitted within) · `unsure_below` · `n_train` ·
`n_judged` · `judged_on` · `digest` (of model.onnx) · `samples` (name, probabilities). With tags also `thresholds` and
`platt` (slope, shift), in order. With a number also `half_width` of its interval (null where unknown) and `spread`
of the numbers it learned, and a sample holds the number as `value`. `precision` is "int8" for a network of 8-bit
integers, and `slim` true for a bundle without its backbone (`digest` is then that of head.onnx); others have neither.
`scores` (`edges`, `shares`) tells how sure judged answers were, where enough were judged (`finegraft.inference.drift`).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from finegraft import __version__
from finegraft.errors import BundleError
from finegraft.evaluation.calibration import COLDEST, HOTTEST
from finegraft.inference.predictor import Description, Predictor
from finegraft.targets import Category, Number, Tags, Target

FORMAT_VERSION = 1
_MEND = "Make the bundle again, or ask whoever sent it."
_UPGRADE = "Upgrade with: pip install --upgrade finegraft"


@dataclass(frozen=True)
class Stored:
    """The content of a `model.json`, checked; `preprocess` is left for its modality to read."""

    target: Target
    description: Description
    preprocess: dict[str, Any]
    temperature: float
    unsure_below: float
    digest: str
    samples: dict[str, tuple[float, ...]]
    thresholds: tuple[float, ...] | None = None
    platt: tuple[tuple[float, float], ...] | None = None
    half_width: float | None = None
    spread: float = 1.0
    slim: bool = False


def written(predictor: Predictor, digest: str, samples: dict[str, list[float]]) -> bytes:
    """The `model.json` of `predictor`; the same text for the same model."""
    described = predictor.description
    content = {
        "format": FORMAT_VERSION,
        "finegraft": __version__,
        "modality": described["modality"],
        "target": predictor.target.to_json(),
        "preprocess": predictor.preprocess.to_json(),
        "backbone": described["backbone"],
        "metrics": described["metrics"],
        "temperature": predictor.temperature,
        "unsure_below": predictor.unsure_below,
        **_for_kind(predictor),
        "n_train": described["n_train"],
        "n_judged": described["n_judged"],
        "judged_on": described["judged_on"],
        **({"scores": described["scores"]} if "scores" in described else {}),
        **({} if exact(described) else {"precision": described["precision"]}),
        "digest": digest,
        "samples": [{"name": name, **_sample(predictor.target, values)} for name, values in samples.items()],
    }
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False).encode()


def exact(described: Description) -> bool:
    """Whether the network computes in single precision: then every engine gives the same answers."""
    return described.get("precision", "float32") == "float32"


def _for_kind(predictor: Predictor) -> dict[str, Any]:
    """What only models with tags, or with a number, have."""
    if isinstance(predictor.target, Tags):
        return {"thresholds": list(predictor.thresholds or ()), "platt": [list(row) for row in predictor.platt or ()]}
    if isinstance(predictor.target, Number):
        return {"half_width": predictor.half_width, "spread": predictor.spread}
    return {}


def _sample(target: Target, values: list[float]) -> dict[str, Any]:
    return {"value": values[0]} if isinstance(target, Number) else {"probabilities": values}


def parsed(content: bytes) -> Stored:
    """Read a `model.json`. Raises `BundleError` for a newer format, and naming the first field that is wrong."""
    stored = _object(content)
    _check_format(stored)
    target = _target(stored)
    return Stored(
        target=target,
        description=_description(stored),
        preprocess=_field(stored, "preprocess", _is_object),
        temperature=float(_field(stored, "temperature", lambda v: _is_number(v) and COLDEST <= v <= HOTTEST)),
        unsure_below=float(_field(stored, "unsure_below", _is_share)),
        digest=_field(stored, "digest", _is_text),
        samples=_samples(stored, target),
        slim="slim" in stored and _field(stored, "slim", lambda v: isinstance(v, bool)),
        **_of_kind(stored, target),
    )


def _description(stored: dict[str, Any]) -> Description:
    described: Description = {
        "modality": _field(stored, "modality", _is_text),
        "backbone": _field(stored, "backbone", _is_object),
        "metrics": _field(stored, "metrics", _are_metrics),
        "n_train": _field(stored, "n_train", _is_count),
        "n_judged": _field(stored, "n_judged", _is_count),
        "judged_on": _field(stored, "judged_on", lambda v: v is None or _is_text(v)),
        "finegraft": _field(stored, "finegraft", _is_text),
    }
    if "precision" in stored:
        described["precision"] = _field(stored, "precision", lambda v: v in ("float32", "int8"))
    if "scores" in stored:
        described["scores"] = _field(stored, "scores", _are_shares)
    return described


def _of_kind(stored: dict[str, Any], target: Target) -> dict[str, Any]:
    """The fields of `Stored` that only tags, or numbers, have."""
    if isinstance(target, Tags):
        k = len(target)
        cuts = _field(stored, "thresholds", lambda v: isinstance(v, list) and len(v) == k and all(map(_is_inside, v)))
        scale = _field(stored, "platt", lambda v: isinstance(v, list) and len(v) == k and all(map(_is_scale, v)))
        platt = tuple((float(slope), float(shift)) for slope, shift in scale)
        return {"thresholds": tuple(map(float, cuts)), "platt": platt}
    if isinstance(target, Number):
        width = _field(stored, "half_width", lambda v: v is None or (_is_number(v) and v >= 0))
        spread = _field(stored, "spread", lambda v: _is_number(v) and v > 0)
        return {"half_width": None if width is None else float(width), "spread": float(spread)}
    return {}


def _object(content: bytes) -> dict[str, Any]:
    try:
        stored = json.loads(content, parse_constant=_refuse_constant, object_pairs_hook=_distinct)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"The bundle's model.json is not proper JSON: {error}.", _MEND) from error
    if not isinstance(stored, dict):
        raise BundleError("The bundle's model.json is not an object.", _MEND)
    return stored


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    together = dict(pairs)
    if len(together) != len(pairs):
        raise ValueError("a name occurs twice in one object")
    return together


def _check_format(stored: dict[str, Any]) -> None:
    version = _field(stored, "format", lambda v: _is_whole(v) and v >= 1)
    if version > FORMAT_VERSION:
        raise BundleError(
            f"This bundle was made by a newer finegraft: it has format {version}, this one reads up to "
            f"{FORMAT_VERSION}.",
            _UPGRADE,
        )


def _target(stored: dict[str, Any]) -> Target:
    target = _field(stored, "target", _is_object)
    kind, labels = target.get("kind"), target.get("labels")
    if kind == Number.kind:
        return Number()
    if kind not in (Category.kind, Tags.kind):
        raise BundleError(f"This finegraft cannot answer with targets of the kind {kind!r}.", _UPGRADE)
    fewest, wanted = (2, "two or more different class names") if kind == Category.kind else (1, "different tags")
    good = isinstance(labels, list) and len(labels) >= fewest and all(map(_is_text, labels))
    if not good or len(set(labels)) != len(labels):
        raise BundleError(f"The bundle's model.json is wrong: 'target' needs {wanted}.", _MEND)
    return Category(tuple(labels)) if kind == Category.kind else Tags(tuple(labels))


def _samples(stored: dict[str, Any], target: Target) -> dict[str, tuple[float, ...]]:
    def is_sample(sample: Any) -> bool:
        if not (_is_object(sample) and _is_text(sample.get("name"))):
            return False
        if isinstance(target, Number):
            return _is_number(sample.get("value"))
        found = sample.get("probabilities")
        return isinstance(found, list) and len(found) == len(target) and all(map(_is_share, found))

    samples = _field(stored, "samples", lambda v: isinstance(v, list) and all(map(is_sample, v)))
    if isinstance(target, Number):
        return {sample["name"]: (float(sample["value"]),) for sample in samples}
    return {sample["name"]: tuple(sample["probabilities"]) for sample in samples}


def _field(stored: dict[str, Any], name: str, is_good: Callable[[Any], object]) -> Any:
    if name not in stored:
        raise BundleError(f"The bundle's model.json has no field '{name}'.", _MEND)
    if not is_good(stored[name]):
        shown = repr(stored[name])
        shown = shown if len(shown) <= 60 else f"{shown[:60]}…"
        raise BundleError(f"The bundle's model.json is wrong: '{name}' cannot be {shown}.", _MEND)
    return stored[name]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)  # JSON's true is an int in Python


def _is_count(value: Any) -> bool:
    return value is None or (_is_whole(value) and value >= 0)


def _is_number(value: Any) -> bool:
    # JSON writes whole numbers of any length; those beyond a float's range would fail where they are first used.
    return (_is_whole(value) or isinstance(value, float)) and abs(value) <= sys.float_info.max


def _is_scale(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_number, value)) and value[0] > 0


def _is_inside(value: Any) -> bool:
    return _is_number(value) and 0 < value < 1


def _is_share(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 1


def _are_shares(value: Any) -> bool:
    if not _is_object(value) or set(value) != {"edges", "shares"}:
        return False
    edges, shares = value["edges"], value["shares"]
    lists = isinstance(edges, list) and isinstance(shares, list) and len(shares) == len(edges) + 1 > 1
    good = lists and all(map(_is_number, edges)) and all(_is_number(share) and 0 < share <= 1 for share in shares)
    return good and edges == sorted(edges)


def _are_metrics(value: Any) -> bool:
    return _is_object(value) and all(map(_is_metric, value.values()))


def _is_metric(value: Any) -> bool:
    # Bundles of before have no method.
    if not (_is_object(value) and {"value", "interval"} <= set(value) <= {"value", "interval", "method"}):
        return False
    interval = value["interval"]
    ends = interval is None or (isinstance(interval, list) and len(interval) == 2 and all(map(_is_number, interval)))
    return ends and _is_number(value["value"]) and _is_text(value.get("method", "Wilson"))
