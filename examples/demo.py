"""The main job from start to end: check, train, report, predict, each through the command a person would type.

    python examples/demo.py --digits OUT     on handwritten digits that come with scikit-learn (no network)
    python examples/demo.py PHOTOS OUT       on your own folder of class folders

Everything lands in OUT. A second run replaces the first.
"""
# ruff: noqa: T201

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

SIDE = 64  # pixels: the digits are 8 × 8, too small to be called photos
SHOWN = 6  # photos that are asked about at the end


def write_digits(folder: Path) -> Path:
    """Write scikit-learn's 1,797 handwritten digits into `folder` as PNGs of 64 × 64, a folder for each digit."""
    from PIL import Image
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    for number, (pixels, label) in enumerate(zip(images.reshape(-1, 8, 8), labels, strict=True)):
        path = folder / str(label) / f"{number:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        ink = Image.fromarray((255 - pixels * 255 / 16).astype("uint8"))
        ink.resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(path)
    return folder


def step(*words: str | Path) -> None:
    """Print a command and run it. Ends the demo with the command's exit code when that is not 0."""
    line = [str(word) for word in words]
    print(f"\n$ finegraft {shlex.join(line)}", flush=True)
    command = shutil.which("finegraft", path=str(Path(sys.executable).parent)) or shutil.which("finegraft")
    if command is None:
        sys.exit('finegraft is not installed here. Install it with: pip install "finegraft[all]"')
    code = subprocess.run([command, *line], check=False).returncode
    if code:
        sys.exit(code)


def judged_photos(run: Path, photos: Path, most: int = SHOWN) -> list[Path]:
    """At most `most` photos, from all over the part that the run was judged on: it has not learned from them."""
    lines = (run / "evaluation.jsonl").read_text(encoding="utf-8").splitlines()
    keys = [json.loads(line)["key"] for line in lines]
    return [photos / key for key in keys[:: -(-len(keys) // most)]]


def main(words: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Check, train, report, predict.")
    parser.add_argument("photos", nargs="?", type=Path, help="a folder with one folder of photos per class")
    parser.add_argument("out", type=Path, help="where everything is put")
    parser.add_argument("--digits", action="store_true", help="use scikit-learn's handwritten digits")
    given = parser.parse_args(words)
    if given.digits == (given.photos is not None):
        parser.error("give either a folder of photos or --digits")
    given.out.mkdir(parents=True, exist_ok=True)
    photos, run = given.photos, given.out / "run"
    if given.digits:
        photos = write_digits(given.out / "digits")
        print(f"Handwritten digits as photos, a folder for each: {photos}")
    step("check", photos)
    step("train", photos, "-o", run, "--force")
    step("report", run)
    step("predict", run, *judged_photos(run, photos), "--html", given.out / "answers.html")
    print(f"\nOpen the report in a browser: {(run / 'report.html').resolve()}")
    print(f"The answers with their pictures: {(given.out / 'answers.html').resolve()}")


if __name__ == "__main__":
    main()
