"""In production: exports that are the same model, a server that costs little and loses nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.promise import CannotMeasureError, Measured, Promise, at_least, at_most
from benchmarks.promises.training import clothing_run
from benchmarks.serving_rivals import running as rivals
from benchmarks.watch import CommandFailedError
from benchmarks.workshop import ROOT, Workshop, json_of

FORMATS = {"bundle": "model.fg", "onnx": "model.onnx", "openvino": "ir", "torch": "tensors"}
SOAK = 600
LOAD = "python -m benchmarks.load RUN/model.fg $DATA/clothing/test"
FUZZED, KILLS, DRAINED = 10_000, 10, 20


def _bears_run(workshop: Workshop) -> Path:
    def train() -> Path:
        run = workshop.empty("bears-export")
        workshop.cli("train", workshop.data("bears"), "-o", run, "--json", memory=False)
        return run

    return workshop.once("bears-export", train)


def _exports(workshop: Workshop, run: Path) -> Measured:
    told = {}
    for to, name in FORMATS.items():
        place = workshop.empty(f"export-{run.name}") / name
        told[to] = json_of(workshop.cli("export", run, "-o", place, "--to", to, "--json", memory=False))
        del told[to]["path"]
    worst = max(row["max_difference"] for row in told.values())
    one = next(iter(told.values()))
    each = ", ".join(f"{to} {row['max_difference']:.1e}" for to, row in told.items())
    words = (
        f"{each}; {one['judged']} judged photos and {one['photos'] - one['judged']} awkward pictures, first answers "
    )
    same = all(row["agreement"] == 1 for row in told.values())
    return Measured(worst, words + ("all the same" if same else "not all the same"), {"formats": told})


def _web(workshop: Workshop) -> Measured:
    run, photos = clothing_run(workshop), workshop.data("clothing") / "test"
    folder = workshop.empty("clothing-web")
    try:
        workshop.cli("export", run, "-o", folder, "--to", "web", memory=False)
    except CommandFailedError as error:
        if "npm" in str(error):
            raise CannotMeasureError("onnxruntime-web could not be fetched") from error
        raise
    found = json_of(workshop.python("benchmarks.web", folder, run / "model.fg", photos, memory=False))
    words = (
        f"{found['max_difference']:.1e} on {found['photos']} photos, the first answer the same for "
        f"{100 * found['agreement']:.1f} %; answers after {found['started']:.1f} s, then {found['seconds']:.2f} s a "
        f"photo; {found['bytes'] / 1e6:.0f} MB"
    )
    return Measured(found["max_difference"], words, found)


def _int8(workshop: Workshop) -> Measured:
    """What is lost in points, where the form is taken; a refusal is a result too, and loses nothing."""
    run, place = clothing_run(workshop), workshop.empty("export-int8") / "model.fg"
    done = workshop.cli("export", run, "-o", place, "--int8", "--json", memory=False)
    told = json_of(done)
    found = told["int8"]
    low, high = found["difference"]["interval"]
    speed = found["speed"]
    words = (
        f"taken, {found['integer_layers']} of {found['layers']} layers: accuracy {found['before']:.4f} to "
        f"{found['after']:.4f} ({100 * low:+.1f} to {100 * high:+.1f} points), {speed['ratio']:.2f} times as many "
        f"photos a second ({speed['low']:.2f} to {speed['high']:.2f}; {speed['engine_before']}, {speed['engine']}), "
        f"{place.stat().st_size / 1e6:.1f} of {run.joinpath('model.fg').stat().st_size / 1e6:.1f} MB"
    )
    return Measured(100 * (found["before"] - found["after"]), words, found)


def _load(workshop: Workshop) -> dict[str, Any]:
    def measure() -> dict[str, Any]:
        model, photos = clothing_run(workshop) / "model.fg", workshop.data("clothing") / "test"
        words = [model, photos, "--soak", str(SOAK), *_tensors(workshop, model.parent)]
        return json_of(workshop.python("benchmarks.load", *words, memory=False))

    return workshop.once("load", measure)


def _tensors(workshop: Workshop, run: Path) -> list[str | Path]:
    """The words by which rivals are asked too; none where their environment cannot be made here."""
    try:
        rivals.interpreter()
    except subprocess.CalledProcessError:
        return []
    folder = workshop.empty("tensors")
    workshop.cli("export", run, "-o", folder, "--to", "torch", "--json", memory=False)
    return ["--tensors", folder]


def _throughput(workshop: Workshop) -> Measured:
    found = _load(workshop)
    words = (
        f"{found['served']:.0f} photos/s of {found['inside']:.0f} in-process, 99 of 100 answers within "
        f"{found['p99_ms']:.0f} ms"
    )
    return Measured(found["served"] / found["inside"], words, found)


def _latency(workshop: Workshop) -> Measured:
    found = _load(workshop)
    words = f"{found['alone_ms']:.1f} ms, in-process {found['inside_ms']:.1f} ms (medians)"
    return Measured(found["alone_ms"] - found["inside_ms"], words, found)


def _lost(workshop: Workshop) -> Measured:
    found = _load(workshop)
    words = f"{found['wrong']} wrong and {found['lost']} lost of {found['asked']:,}"
    return Measured(found["wrong"] + found["lost"], words, found)


def _grown(workshop: Workshop) -> Measured:
    found = _load(workshop)
    return Measured(found["grown"], f"{found['grown']:+.1f} MB in {SOAK * 9 // 10} s", found)


def _rivals(workshop: Workshop) -> Measured:
    found = _load(workshop)
    if found["rivals"] is None:
        raise CannotMeasureError("the environment of the other servers could not be installed")
    best = max(row["served"] for row in found["rivals"].values())
    every = {"finegraft": found, **found["rivals"]}
    words = " · ".join(f"{name} {row['served']:.0f}/s, {row['alone_ms']:.0f} ms alone" for name, row in every.items())
    return Measured(found["served"] / best, words, found["rivals"])


def _fuzzed(workshop: Workshop) -> Measured:
    model = clothing_run(workshop) / "model.fg"
    found = json_of(workshop.python("benchmarks.fuzzing", model, "--requests", str(FUZZED), memory=False))
    statuses = ", ".join(f"{count:,} × {status}" for status, count in found["statuses"].items())
    faults = ", ".join(f"{count} {name}" for name, count in found["faults"].items()) or "no fault"
    return Measured(found["wrong"], f"{faults} in {found['asked']:,} requests: {statuses}", found)


def _drained(workshop: Workshop) -> Measured:
    model, photos = clothing_run(workshop) / "model.fg", workshop.data("clothing") / "test"
    found = json_of(workshop.python("benchmarks.draining", model, photos, "--times", str(DRAINED), memory=False))
    words = (
        f"{found['lost']} of {found['under_way']} under way without an answer, {found['odd']} with another than 200 or "
        f"503; {found['unclean']} of {found['times']} ends unclean"
    )
    return Measured(found["lost"] + found["odd"] + found["unclean"], words, found)


def _killed(workshop: Workshop) -> Measured:
    model = clothing_run(workshop) / "model.fg"
    found = json_of(workshop.python("benchmarks.restarting", model, "--times", str(KILLS), memory=False))
    seconds = found["seconds"]
    words = f"median {median(seconds):.2f} s, longest {max(seconds):.2f} s of {len(seconds)}"
    if found["silent"]:
        return Measured(float("inf"), f"{found['silent']} did not answer a photo afterwards", found)
    return Measured(max(seconds), words, found)


def _hostile(workshop: Workshop) -> Measured:
    found = json_of(workshop.python("benchmarks.hostile_clients", clothing_run(workshop) / "model.fg", memory=False))
    wrong = found["not_as_promised"]
    first = "; ".join(f"{name}: {told}" for name, told in list(wrong.items())[:3])
    return Measured(len(wrong), f"{len(wrong)} of {found['cases']} cases" + (f" ({first})" if first else ""), found)


def _serving_install(workshop: Workshop) -> Path:
    """A virtual environment with the extra that serves, and nothing else."""

    def install() -> Path:
        folder = workshop.empty("serving")
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [folder / "bin" / "pip", "install", "--quiet", "-c", ROOT / "constraints.txt", f"{ROOT}[serve]"]
        try:
            subprocess.run(pip, check=True, capture_output=True)
        except subprocess.CalledProcessError as error:
            raise CannotMeasureError("the extra could not be installed") from error
        return folder

    return workshop.once("serving-install", install)


def _size(workshop: Workshop) -> Measured:
    folder = _serving_install(workshop)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink()) / 1e6
    torch = any(path.name == "torch" for path in folder.glob("lib/python*/site-packages/*"))
    return Measured(size, f"{size:.0f} MB, {'with' if torch else 'without'} torch", {"torch": torch})


def _import(workshop: Workshop) -> Measured:
    python = _serving_install(workshop) / "bin" / "python"
    command = [python, "-X", "importtime", "-c", "import finegraft.serving.running"]
    times = []
    for _ in range(5):
        told = subprocess.run(command, check=True, capture_output=True, text=True, cwd=workshop.scratch).stderr
        (microseconds,) = re.findall(r"\|\s*(\d+) \| finegraft\.serving\.running$", told, re.M)
        times.append(int(microseconds) / 1e6)
    return Measured(median(times), f"{median(times):.2f} s, median of {len(times)}", {"seconds": times})


ROWS = [
    Promise(
        "serve-1-clothing",
        "clothing, every default, in four formats asked in processes of their own: largest difference of a probability",
        at_most(1e-3),
        "finegraft export RUN -o FILE --to bundle|onnx|openvino|torch --json",
        lambda workshop: _exports(workshop, clothing_run(workshop)),
    ),
    Promise(
        "serve-1-bears",
        "the same for bears",
        at_most(1e-3),
        "finegraft export RUN -o FILE --to bundle|onnx|openvino|torch --json",
        lambda workshop: _exports(workshop, _bears_run(workshop)),
    ),
    Promise(
        "serve-6-web",
        "clothing as a web page in Chromium, its test photos: largest difference of a probability from Python",
        at_most(1e-3),
        "finegraft export RUN -o FOLDER --to web; python -m benchmarks.web FOLDER RUN/model.fg $DATA/clothing/test",
        _web,
    ),
    Promise(
        "serve-2-throughput",
        "32 clients and the server on one machine: share of what the model reaches in-process in the same run",
        at_least(0.8),
        LOAD,
        _throughput,
    ),
    Promise("serve-2-latency", "one client: median above that in-process", at_most(4, "ms"), LOAD, _latency),
    Promise(
        "serve-2-answers",
        "the same and ten minutes of 32 clients: answers that are wrong or lost",
        at_most(0),
        f"{LOAD} --soak {SOAK}",
        _lost,
    ),
    Promise(
        "serve-2-memory",
        "the same, memory of the server after the first minute (PSS)",
        at_most(10, "MB more"),
        f"{LOAD} --soak {SOAK}",
        _grown,
    ),
    Promise(
        "serve-2-rivals",
        "32 clients, the same network behind LitServe and FastAPI: our photos a second over those of the best of them",
        at_least(1.0, "times"),
        f"finegraft export RUN -o DIR --to torch && {LOAD} --tensors DIR",
        _rivals,
    ),
    Promise(
        "serve-3-fuzz",
        f"{FUZZED:,} requests, half from the server's own description, half mutated photos: errors of the server, "
        "answers in another form than described, lost answers, restarts",
        at_most(0),
        f"python -m benchmarks.fuzzing RUN/model.fg --requests {FUZZED}",
        _fuzzed,
    ),
    Promise(
        "serve-3-drain",
        f"SIGTERM under the load of 32 clients, {DRAINED} times: requests on accepted connections without an answer",
        at_most(0),
        f"python -m benchmarks.draining RUN/model.fg $DATA/clothing/test --times {DRAINED}",
        _drained,
    ),
    Promise(
        "serve-3-killed",
        f"kill -9 and the same server again on its port, {KILLS} times: longest until it says that it is ready",
        at_most(2, "s"),
        f"python -m benchmarks.restarting RUN/model.fg --times {KILLS}",
        _killed,
    ),
    Promise(
        "serve-3-hostile",
        "bombs and broken files, 1 bad of 32, bodies of 21 MB, dribbling, half-closed, wrong types, 500 idle: cases "
        "not answered as promised",
        at_most(0),
        "python -m benchmarks.hostile_clients RUN/model.fg",
        _hostile,
    ),
    Promise(
        "serve-4-integers",
        "clothing in 8-bit integers, taken or refused on its judged photos: accuracy lost",
        at_most(0.5, "points"),
        "finegraft export RUN -o model.fg --int8 --json",
        _int8,
    ),
    Promise(
        "serve-5-size",
        "a virtual environment with the extra `serve` alone",
        at_most(260, "MB"),
        "python -m venv V && V/bin/pip install -c constraints.txt '.[serve]'",
        _size,
    ),
    Promise(
        "serve-5-import",
        "importing the server there",
        at_most(0.5, "s"),
        "V/bin/python -X importtime -c 'import finegraft.serving.running'",
        _import,
    ),
]
