"""The colours keep the contrast they promise, in both schemes."""

from __future__ import annotations

import re

import pytest

from finegraft.reporting import matrix, picture
from finegraft.reporting.page import stylesheet

SCHEMES = ("light", "dark")


def tokens(scheme: str) -> dict[str, str]:
    """The value of every colour token, references followed."""
    light, dark = re.split(r"@media screen and \(prefers-color-scheme: dark\)", stylesheet())[:2]
    found = dict(re.findall(r"--([\w-]+): (#\w{6}|var\(--\w+\));", light))
    if scheme == "dark":
        found |= dict(re.findall(r"--([\w-]+): (#\w{6}|var\(--\w+\));", dark))
    return {key: found[value[6:-1]] if value.startswith("var") else value for key, value in found.items()}


def luminance(colour: str) -> float:
    """Relative luminance of sRGB (WCAG 2.2)."""
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("word", ["ink", "soft", "leaf", "bark", "alarm", "sky"])
def test_text_reads_on_paper(scheme: str, word: str) -> None:
    found = tokens(scheme)
    assert contrast(found[word], found["paper"]) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("step", range(1, 9))
def test_counts_read_on_every_step_of_the_matrix(scheme: str, step: int) -> None:
    found = tokens(scheme)
    assert contrast(found[f"heat-{step}"], found[f"on-heat-{step}"]) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_steps_of_the_matrix_go_one_way(scheme: str) -> None:
    found = tokens(scheme)
    steps = [luminance(found["paper"]), *(luminance(found[f"heat-{i}"]) for i in range(1, 9))]
    assert steps == sorted(steps, reverse=scheme == "light")


def test_figures_that_stand_alone_use_the_light_tokens() -> None:
    light = tokens("light")
    assert list(matrix._LIGHT) == [light[f"heat-{i}"] for i in range(1, 9)]
    assert list(matrix._ON_LIGHT) == [light[f"on-heat-{i}"] for i in range(1, 9)]
    drawn = (picture._PAPER, picture._INK, picture._SOFT, picture._HAIR, picture._LEAF, picture._BARK)
    assert list(drawn) == [light[key] for key in ("paper", "ink", "soft", "hair", "leaf", "bark")]


def test_there_are_four_sizes_of_type() -> None:
    sizes = set(re.findall(r"font-size: ([^;]+);", stylesheet())) - {"0.9em", "10pt"}
    assert sizes == {"var(--small)", "var(--body)", "var(--large)", "var(--huge)"}
