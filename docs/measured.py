"""Puts measured numbers into README.md: `python docs/measured.py`, after `make accept`.

Every number stands between two marks and is copied, word for word, from benchmarks/acceptance.json; a row that was
not measured is left out, one that failed says so.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LEDGER = ROOT / "benchmarks" / "acceptance.json"
START, END = "<!-- measured -->", "<!-- /measured -->"
NOTHING = "Nothing has been measured yet; `make accept` does it.\n"

# id of the promise -> what the reader is told it is. "The clothes": 3,068 photos to learn from, 10 classes.
ROWS: dict[str, str] = {
    "spine-2-accuracy": "Right answers on clothes, photos of a given test part, every default",
    "spine-2-seconds": "The whole `finegraft train` on 3,068 of those photos, two processors, empty cache",
    "spine-3-seconds": "The same again, with what was remembered",
    "spine-2-memory": "Peak memory of that training",
    "spine-4-start": "`finegraft predict` for one photo, from typing to the answer",
    "spine-4-rate": "`finegraft predict` for 1,000 photos, share of what decoding and inference alone allow",
    "spine-5-bears": "Right answers on bears, 3 classes scraped from the web, mean of five splits",
    "spine-5-pets": "Right answers on 37 breeds of pets, 8 photos of each to learn from, mean of five splits",
    "spine-6-imagenet": "`finegraft predict imagenet`: first answers that are the class in the file's name",
    "serve-2-throughput": "`finegraft serve`, 32 clients on its own processors, share of what the model reaches alone",
    "serve-2-rivals": "The same network behind LitServe and FastAPI: our photos a second over those of the better",
    "serve-3-fuzz": "Faults of the server under fuzzed requests",
    "serve-6-web": "The web export in Chromium: largest difference of a probability from Python",
    "spine-7-probabilities": "Largest difference of a probability between Python, command line and both engines",
    "score-2-strangers": "The model of clothes asked about bears and pets: called unlike training",
    "score-2-own": "The same model and its own test photos: called unlike training",
    "score-3-foretold": "Accuracy foretold from half of the photos, true figure within the band",
    "spine-8-fastai": "Against fastai on the same photos with the same backbone, both on two processors",
}
# What comes after is detail for ACCEPTANCE.md: stages, seeds, how each part did.
_DETAIL = re.compile(r";| \((?!95 %)|, seeds:|, median of|(?<=photos), ")


def block() -> str:
    """What stands between the marks."""
    if not LEDGER.exists():
        return NOTHING
    measured = {row["id"]: row for row in json.loads(LEDGER.read_text(encoding="utf-8"))}
    rows = [_row(what, measured[name]) for name, what in ROWS.items() if _counts(measured.get(name))]
    return "| what | measured | measured again by |\n|---|---|---|\n" + "".join(rows) if rows else NOTHING


def filled(readme: str) -> str:
    """The text of README.md with the block put in."""
    before, rest = readme.split(START)
    after = rest.split(END)[1]
    return f"{before}{START}\n{block()}{END}{after}"


def shortened(words: str) -> str:
    """The beginning of a measurement's words, without its details.

    >>> shortened("0.9059 (95 %: 0.872–0.932) on 372 photos; training itself said 0.9059")
    '0.9059 (95 %: 0.872–0.932) on 372 photos'
    >>> shortened("44.1 s (check 1.0, start 0.7)")
    '44.1 s'
    """
    return _DETAIL.split(words, maxsplit=1)[0]


def _counts(row: dict[str, str] | None) -> bool:
    return row is not None and row["verdict"] != "skipped" and not row["measured"].startswith("not measured")


def _row(what: str, row: dict[str, str]) -> str:
    found = row["measured"] if row["id"] == "spine-8-fastai" else shortened(row["measured"])
    missed = "" if row["verdict"] == "pass" else f", wanted {row['wanted']}"
    return f"| {what} | {found}{missed} | `make accept ONLY={row['id']}` |\n"


if __name__ == "__main__":
    path = ROOT / "README.md"
    path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")
