"""The report in a real Chromium: narrow and wide, light and dark, as axe-core finds it; its size; the time to open."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.chromium import browser
from benchmarks.promise import Measured, Promise, at_most
from benchmarks.promises.training import clothing_run
from benchmarks.workshop import Workshop

WIDTHS, SCHEMES = (1280, 390), ("light", "dark")
OPENINGS = 7
GRAVE = ("serious", "critical")
OVERFLOWING = """() => [...document.querySelectorAll('body *')].filter(e =>
  e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll')).length"""
LOADED = "() => { const [n] = performance.getEntriesByType('navigation'); return n.loadEventEnd - n.startTime; }"


def _reports(workshop: Workshop) -> dict[str, Path]:
    """The reports of a training on clothing and of one on pets, 37 classes, every default."""

    def train() -> Path:
        run = workshop.empty("pets-run")
        workshop.cli("train", workshop.data("pets"), "-o", run, "--json")
        return run

    pets = workshop.once("pets-report", train)
    return {"clothing": clothing_run(workshop) / "report.html", "pets": pets / "report.html"}


def _faults(workshop: Workshop) -> Measured:
    found: dict[str, object] = {}
    with browser() as chromium:
        for (name, report), width, scheme in product(_reports(workshop).items(), WIDTHS, SCHEMES):
            found[f"{name} {width} {scheme}"] = _faults_of(chromium, report, width, scheme)
    every = [fault for faults in found.values() for fault in faults]  # type: ignore[attr-defined]
    words = f"{len(every)} on {len(found)} views" + (f": {', '.join(sorted(set(every))[:5])}" if every else "")
    return Measured(len(every), words, found)


def _faults_of(chromium: Any, report: Path, width: int, scheme: str) -> list[str]:
    """Serious and critical findings of axe-core, messages on the console, what is wider than the window."""
    from axe_playwright_python.sync_playwright import Axe

    page = chromium.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    faults: list[str] = []
    page.on("console", lambda message: faults.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: faults.append(f"error: {error}"))
    page.goto(report.as_uri())
    violations = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    faults += [f"axe: {one['id']}" for one in violations if one["impact"] in GRAVE for _ in one["nodes"]]
    wider = page.evaluate("document.documentElement.scrollWidth") > width
    faults += ["overflow"] * (int(wider) + page.evaluate(OVERFLOWING))
    page.close()
    return faults


def _size(workshop: Workshop) -> Measured:
    sizes = {name: report.stat().st_size / 1e6 for name, report in _reports(workshop).items()}
    words = f"{sizes['pets']:.2f} MB (clothing {sizes['clothing']:.2f} MB)"
    return Measured(sizes["pets"], words, dict(sizes))


def _opening(workshop: Workshop) -> Measured:
    times: dict[str, float] = {}
    with browser() as chromium:
        for name, report in _reports(workshop).items():
            taken = []
            for _ in range(OPENINGS):
                page = chromium.new_page(viewport={"width": 1280, "height": 844})
                page.goto(report.as_uri(), wait_until="load")
                taken.append(float(page.evaluate(LOADED)) / 1000)
                page.close()
            times[name] = median(taken)
    words = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in times.items())
    return Measured(max(times.values()), f"{words}, median of {OPENINGS}", dict(times))


BUILD = "finegraft report RUN"
ROWS = [
    Promise(
        "score-5-axe",
        "reports of clothing and pets in Chromium at 1280 and 390 pixels, light and dark: serious findings of "
        "axe-core, console messages and overflows",
        at_most(0),
        BUILD,
        _faults,
    ),
    Promise("score-5-size", "the report of pets, 37 classes, in one file", at_most(5, "MB"), BUILD, _size),
    Promise("score-5-open", "either report in Chromium, to the load event", at_most(1, "s"), BUILD, _opening),
]
