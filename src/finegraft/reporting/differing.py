"""In which settings two runs differ, as their run.json has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from finegraft.reporting.material import Material

# The parts of run.json that say how a run was made. What came out of it, such as times and figures, is no setting.
_PARTS = ("settings", "backbone", "preprocess", "class_weights", "environment")
_SINGLE = ("data", "judged_on", "n_train", "lr", "engine", "threads", "device", "finegraft")
_CALLED = {"n_train": "learned from", "lr": "learning rate", "finegraft": "finegraft version"}
_LOST = "–"


def differing(a: Material, b: Material) -> list[tuple[str, str, str]]:
    """Rows of (setting, its value in A, in B), only where these differ."""
    in_a, in_b = (dict(_flat(material)) for material in (a, b))
    rows = [(name, in_a.get(name, _LOST), in_b.get(name, _LOST)) for name in dict.fromkeys([*in_a, *in_b])]
    return [row for row in rows if row[1] != row[2]]


def _flat(material: Material) -> Iterator[tuple[str, str]]:
    for name in _SINGLE:
        if name in material.settings:
            yield _CALLED.get(name, name.replace("_", " ")), _written(material.settings[name])
    for part in _PARTS:
        called = "" if part == "settings" else f"{part.replace('_', ' ')}: "
        # The rate asked for is told by the rate used.
        yield from _within(called, {k: v for k, v in material.part(part).items() if (part, k) != ("settings", "lr")})


def _within(called: str, part: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in part.items():
        inner = f"{called}{key.replace('_', ' ')}"
        if isinstance(value, Mapping):
            yield from _within(f"{inner}: ", value)
        else:
            yield inner, _written(value)


def _written(value: Any) -> str:
    if value is None:
        return _LOST
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(map(_written, value))
    return f"{value:,}" if isinstance(value, int) else str(value)
