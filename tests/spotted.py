"""Photos with spots of colour on a ground of some lightness, and a table of what is on each."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

COLOURS = {"red": (210, 40, 40), "green": (40, 170, 60), "blue": (50, 70, 210)}


def spotted(folder: Path, n: int = 90, seed: int = 0, size: int = 64) -> Path:
    """`folder/table.csv` with a row for each photo: `file`, a column of 0 and 1 for each colour, `colours` with their
    names, `light` in 0..255, and `side`, "dark" or "light".
    """
    rng = np.random.default_rng(seed)
    (folder / "photos").mkdir(parents=True, exist_ok=True)
    rows = []
    for i in range(n):
        light = float(rng.uniform(20, 230))
        ground = light + rng.normal(0, 12, (size, size, 3))
        image = Image.fromarray(ground.clip(0, 255).astype(np.uint8))
        has = [colour for colour, often in zip(COLOURS, (0.5, 0.4, 0.2), strict=True) if rng.random() < often]
        for colour in has:
            x, y = rng.integers(0, size - 20, 2).tolist()
            ImageDraw.Draw(image).ellipse([x, y, x + 20, y + 20], fill=COLOURS[colour])
        name = f"photos/{i:03}.jpg"
        image.save(folder / name, quality=92)
        side = "light" if light > 125 else "dark"
        rows.append([name, *(int(colour in has) for colour in COLOURS), ";".join(has), f"{light:.1f}", side])
    with (folder / "table.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["file", *COLOURS, "colours", "light", "side"], *rows])
    return folder / "table.csv"
