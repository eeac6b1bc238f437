"""A predictor as one file, `model.fg`: JSON and ONNX in a zip, no pickle, nothing that runs.

Entries: `model.json` (see `model_json`), `model.onnx`, `card.md`, and `samples/` with generated pictures, and others
where somebody put them in, whose answers are in `model.json` and are asked again on load. A slim one has `head.onnx`
in place of `model.onnx`, and stands on the backbone installed where it is opened. A bundle of any released version
opens in every later one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from finegraft import modality
from finegraft.data.contents import digest_of
from finegraft.errors import BundleError, FinegraftError, UnreadableFile, UsageError
from finegraft.inference import archive, model_json
from finegraft.inference.graph_safety import check_graph
from finegraft.inference.predictor import Predictor
from finegraft.modality import Preprocess
from finegraft.runtimes import Purpose
from finegraft.targets import Category, Number, Target

# Our promise: the same file gives the same probabilities within this, on every engine and machine; and the same number
# within so many spreads of those it learned from.
TOLERANCE = 1e-3
# Engines round sums of 8-bit integers in their own way: with lite0 on clothing and bears ONNX Runtime and OpenVINO
# differ by up to 0.009 on the generated samples, by up to 0.04 on 96 photos.
_TOLERANCE_INT8 = 0.05
Verify = Literal["all", "one", "no"]
FASTEST = "fastest"

_MEND = "Make the bundle again, or ask whoever sent it."


def save(
    predictor: Predictor,
    path: str | Path,
    chapters: Mapping[str, str] | None = None,
    own: Mapping[str, bytes] | None = None,
) -> None:
    """Write `predictor` to `path`, whole or not at all; equal predictors give equal files.

    `chapters` are those of its card, see `finegraft.inference.card`; `own` are samples beside the generated ones, by
    name.
    Raises `BundleError` for a model that `load` would refuse and `StorageError` where `path` cannot be written.
    """
    from finegraft.inference.card import card
    from finegraft.inference.samples import generated

    check_graph(predictor.graph)
    pictures = {**generated(), **(own or {})}
    answers = {name: _answer(predictor, content) for name, content in pictures.items()}
    described = model_json.written(predictor, digest_of(predictor.graph), answers)
    model_json.parsed(described)  # what `load` would refuse, a temperature out of bounds say, is not written
    entries = {"model.json": described, "model.onnx": predictor.graph, "card.md": card(predictor, chapters).encode()}
    archive.write(Path(path), entries | {f"samples/{name}": content for name, content in pictures.items()})


def load(
    path: str | Path,
    *,
    engine: str = "auto",
    threads: int | None = None,
    verify: Verify = "all",
    purpose: Purpose = "start",
) -> Predictor:
    """The predictor in the bundle at `path`.

    `engine` and `threads` as in `Predictor`; "fastest" is the engine that answers most items here, found out in a
    second and remembered (`finegraft.inference.fastest`), for what goes on answering. `verify` says how many of its
    samples must give the answers stored with them, within 1e-3: "all", "one" (the smallest; `finegraft predict` does
    this, to start fast) or "no" (the model is then opened with the first answer). `purpose` "throughput" opens it for
    many answers at once from the beginning. Raises `BundleError` for whatever is damaged, hostile, of a newer format,
    or answers differently here.
    """
    if verify not in get_args(Verify):
        raise UsageError(f"verify must be one of {', '.join(get_args(Verify))}, got {verify!r}.")
    path = Path(path)
    entries = archive.read(path)
    try:
        return _loaded(entries, engine, threads, verify, purpose)
    except BundleError as error:
        raise BundleError(f"Cannot open {path}: {error.what}", error.mend) from error


def _loaded(entries: dict[str, bytes], engine: str, threads: int | None, verify: Verify, purpose: Purpose) -> Predictor:
    if "model.json" not in entries:
        raise BundleError("it has no entry 'model.json'.", _MEND)
    stored = model_json.parsed(entries["model.json"])  # first: a newer format may have other entries
    _check_entries(entries, stored)
    preprocess = modality.get(stored.description["modality"]).Preprocess.from_json(stored.preprocess)
    graph = _grafted(entries[archive.HEAD], stored) if stored.slim else entries["model.onnx"]
    if engine == FASTEST:
        engine = _fastest(graph, entries, stored, preprocess, threads)
    predictor = Predictor(
        graph,
        preprocess,
        stored.target,
        stored.description,
        temperature=stored.temperature,
        unsure_below=stored.unsure_below,
        thresholds=stored.thresholds,
        platt=stored.platt,
        half_width=stored.half_width,
        spread=stored.spread,
        engine=engine,
        threads=threads,
    )
    if purpose == "throughput":
        predictor.engines.get(purpose)  # answers the samples too
    wanted = {"all": len(stored.samples), "one": 1, "no": 0}[verify]
    for name in list(stored.samples)[:wanted]:
        _check_sample(predictor, name, entries[f"samples/{name}"], stored.samples[name])
    return predictor


def _grafted(head: bytes, stored: model_json.Stored) -> bytes:
    """The graph of a bundle without its backbone: that of the one installed here, with the bundle's `head`."""
    from finegraft.models.graph import joined

    row = stored.description["backbone"]
    try:
        body = modality.get(stored.description["modality"]).network(str(row.get("name")), stored.preprocess)
    except FinegraftError as error:
        raise BundleError(f"it comes without its backbone, which is not here: {error.what}", error.mend) from error
    if body.backbone != row.get("digest"):
        raise BundleError(
            f"it belongs on other weights of {row.get('name')} than those installed here.",
            "Install the version it was made with, or ask for a bundle that is whole.",
        )
    try:
        return joined(body.graph, head)
    except FinegraftError as error:  # a package is missing
        raise BundleError(f"it cannot be put together with its backbone here: {error.what}", error.mend) from error
    except Exception as error:  # whatever a stranger's graph may lack
        raise BundleError(f"its head does not fit its backbone: {error}.", _MEND) from error


def _fastest(
    graph: bytes,
    entries: dict[str, bytes],
    stored: model_json.Stored,
    preprocess: Preprocess,
    threads: int | None,
) -> str:
    """The engine for `graph`, asked with the bundle's first sample; "auto" where it has none."""
    from finegraft.inference.fastest import fastest

    for name in stored.samples:
        try:
            return fastest(graph, preprocess.load(entries[f"samples/{name}"]), threads)
        except UnreadableFile as error:
            raise BundleError(f"its sample {name!r} cannot be read: {error.reason}", _MEND) from error
    return "auto"


def _check_entries(entries: dict[str, bytes], stored: model_json.Stored) -> None:
    network = archive.HEAD if stored.slim else "model.onnx"
    wanted = {"model.json", network, "card.md", *(f"samples/{name}" for name in stored.samples)}
    if missing := sorted(wanted - set(entries)):
        raise BundleError(f"it has no entry {missing[0]!r}.", _MEND)
    if strange := sorted(set(entries) - wanted):
        raise BundleError(f"it has an entry that no bundle has, {strange[0]!r}.", _MEND)
    if stored.description["modality"] not in modality.MODALITIES:
        raise BundleError(
            f"this finegraft knows no data of the kind {stored.description['modality']!r}.",
            "Upgrade with: pip install --upgrade finegraft",
        )
    check_graph(entries[network])
    if digest_of(entries[network]) != stored.digest:
        raise BundleError(f"its {network} is not the one its model.json was written for (digests differ).", _MEND)


def _answer(predictor: Predictor, content: bytes) -> list[float]:
    """The probability of every label, in order, to six decimals; or the number, to seven digits."""
    digits = ".7g" if isinstance(predictor.target, Number) else ".6f"
    return [float(format(value, digits)) for value in predictor.judgement(content).values.tolist()]


def _check_sample(predictor: Predictor, name: str, content: bytes, wanted: tuple[float, ...]) -> None:
    try:
        got = _answer(predictor, content)
    except UnreadableFile as error:
        raise BundleError(f"its sample {name!r} cannot be read: {error.reason}", _MEND) from error
    differences = np.abs(np.subtract(got, wanted)) / predictor.spread
    worst = int(differences.argmax())
    tolerance = TOLERANCE if model_json.exact(predictor.description) else _TOLERANCE_INT8
    if not differences[worst] <= tolerance:  # NaN, which argmax finds first, is no agreement either
        raise BundleError(
            f"it answers differently here: {_told(predictor.target, name, worst, got[worst], wanted[worst])} where the "
            "bundle was made.",
            f"It was made with {predictor.description.get('finegraft')}; make it again with this version, or "
            "load it with verify='no' to use it all the same.",
        )


def _told(target: Target, name: str, column: int, got: float, wanted: float) -> str:
    """What differs."""
    if isinstance(target, Number):
        return f"for its sample {name!r} it says {got:g}, and said {wanted:g}"
    what = "class" if isinstance(target, Category) else "tag"
    return (
        f"for its sample {name!r} the {what} {target.labels[column]!r} has probability {got:.4f}, and had {wanted:.4f}"
    )
