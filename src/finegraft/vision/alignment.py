"""Whether two small pictures show the same photo, once the one is laid over the other as well as it goes.

Pictures are grey, float32 (m, 64, 64), m pairs at once. A copy may be cropped, so the second is looked for in the
first under a scale and a shift of each axis, found by Gauss-Newton steps (Lucas and Kanade, 1981, "An iterative image
registration technique"), first in few pixels, then in more. What is left between them tells a copy from another photo
of like things: shirts on one floor agree in the large, never in every fold.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# (pixels of a side, steps) of the two stages, the scales that the first one starts from (the second picture may be a
# crop of the first one, or the first of the second), and the correlation that a pair needs to go on: of 300 copies
# with 5 % cut from each of the four sides, 99 % have it.
_FIRST, _SECOND = (16, 8), (32, 5)
_STARTS = (0.95, 1.05)
_WORTH_MORE = 0.85
_COMPARED = 32
_FARTHEST = 0.03  # of the side, in one step: a longer one leaves the range in which the picture is about linear
_SCALES = (0.85, 1.18)  # 5 % cut from each side is a scale of 0.9
# A crop moves what it shows by half of what is cut, at the most. More play would let stripes slide onto other stripes.
_PLAY = 0.02
_DETAIL_RADIUS = 2  # pixels of 32: what is coarser than 5 of them is no detail
# What is the same photo; `python -m benchmarks.accept --only dirt-2` measures it. Of the 1,797 handwritten digits no
# pair passes: their coarse parts differ by 4.9 grey levels or more. Stripes of equal width are the hardest case.
_LEAST_CORRELATION, _MOST_FINE, _MOST_COARSE = 0.95, 5.0, 2.0


class Agreement(NamedTuple):
    """How well m pairs agree, each float (m,).

    `correlation` is that of their details, at most 1; `fine` and `coarse` are the root mean square differences, in
    grey levels, of their details and of the rest.
    """

    correlation: np.ndarray
    fine: np.ndarray
    coarse: np.ndarray

    @property
    def same(self) -> np.ndarray:
        """Whether each pair shows the same photo, bool (m,)."""
        small = (self.fine <= _MOST_FINE) & (self.coarse <= _MOST_COARSE)
        return np.asarray(small & (self.correlation >= _LEAST_CORRELATION))


def agreement(first: np.ndarray, second: np.ndarray) -> Agreement:
    """How well the pairs agree; both float32 (m, 64, 64) of grey levels 0..255.

    Pairs that do not come near each other at all have a correlation of 0 and differences of 255.
    """
    alive = np.arange(len(first))
    warp = np.tile(np.array([1, 1, 0, 0], np.float32), (len(first), 1))
    for side, steps, starts in ((*_FIRST, _STARTS), (*_SECOND, (1.0,))):
        if not len(alive):
            break
        a, b = _reduced(first[alive], side), _reduced(second[alive], side)
        warp, correlation = _best_sought(a, b, warp, steps, starts)
        near = correlation >= _WORTH_MORE
        alive, warp = alive[near], warp[near]
    found = Agreement(np.zeros(len(first)), np.full(len(first), 255.0), np.full(len(first), 255.0))
    if len(alive):
        for values, part in zip(found, _compared(first[alive], second[alive], warp), strict=True):
            values[alive] = part
    return found


def _compared(first: np.ndarray, second: np.ndarray, warp: np.ndarray) -> Agreement:
    warped, inside, _ = _warped(first, warp)
    a, b = _reduced(warped, _COMPARED), _reduced(second, _COMPARED)
    coarse_a, coarse_b = _blurred(a), _blurred(b)
    covered = (_blurred(_reduced(inside, _COMPARED)) > 0.99).astype(np.float32)
    fine_a, fine_b = a - coarse_a, b - coarse_b
    return Agreement(
        _correlation(fine_a, fine_b, covered),
        np.sqrt(_mean((fine_a - fine_b) ** 2, covered))[:, 0, 0],
        np.sqrt(_mean((coarse_a - coarse_b) ** 2, covered))[:, 0, 0],
    )


def _best_sought(
    first: np.ndarray, second: np.ndarray, warp: np.ndarray, steps: int, starts: tuple[float, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """`_sought` from `warp` with its scales times each of `starts`, the better for each pair."""
    found = [_sought(first, second, warp * np.array([start, start, 1, 1], np.float32), steps) for start in starts]
    warps, correlations = (np.stack(part) for part in zip(*found, strict=True))
    best = correlations.argmax(axis=0)
    every = np.arange(len(best))
    return warps[best, every], correlations[best, every]


def _sought(first: np.ndarray, second: np.ndarray, warp: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """The best warp of each pair, float32 (m, 4), among `steps` from `warp` on, and the correlation (m,) under it.

    A warp is scale of columns and rows, shift of columns and rows in sides: a point p of the second picture, measured
    from the middle, lies at scale * p + shift in the first one.
    """
    best, best_warp = np.full(len(first), -np.inf, np.float32), warp.copy()
    x, y = _grid(first.shape[1])
    for _ in range(steps):
        warped, inside, (across, down) = _warped(first, warp)
        correlation = _correlation(warped, second, inside)
        better = correlation > best
        best[better], best_warp[better] = correlation[better], warp[better]
        gain, rest = _rest(warped, second, inside)
        slopes = np.stack([across * x, down * y, across, down], axis=-1) * (gain * inside)[..., None]
        slopes -= _mean(slopes, inside[..., None]) * inside[..., None]
        warp = _stepped(warp, slopes.reshape(len(warp), -1, 4), rest.reshape(len(warp), -1, 1))
    return best_warp, best


def _stepped(warp: np.ndarray, slopes: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """One damped Gauss-Newton step of least squares."""
    transposed = np.swapaxes(slopes, 1, 2)
    normal = transposed @ slopes
    damping = 0.0025 * np.trace(normal, axis1=1, axis2=2) + 1e-3
    normal += damping[:, None, None] * np.eye(4, dtype=np.float32)
    step = np.linalg.solve(normal, transposed @ rest)[..., 0]
    moved = warp + np.clip(step, -_FARTHEST, _FARTHEST)
    moved[:, :2] = np.clip(moved[:, :2], *_SCALES)
    room = np.abs(1 - moved[:, :2]) / 2 + _PLAY
    moved[:, 2:] = np.clip(moved[:, 2:], -room, room)
    return np.asarray(moved, np.float32)


def _warped(pictures: np.ndarray, warp: np.ndarray) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """The pictures under the warp, 1 where they cover the frame and 0 elsewhere, and their slopes per side."""
    m, n, _ = pictures.shape
    x, y = _grid(n)
    columns = (warp[:, 0, None, None] * x + warp[:, 2, None, None] + 0.5) * n - 0.5
    rows = (warp[:, 1, None, None] * y + warp[:, 3, None, None] + 0.5) * n - 0.5
    inside = (columns > -0.5) & (columns < n - 0.5) & (rows > -0.5) & (rows < n - 0.5)
    left, right_share = _whole_and_part(columns, n)
    top, bottom_share = _whole_and_part(rows, n)
    flat, at = pictures.reshape(m, -1), (top * n + left).reshape(m, -1)
    here, beside, below, across = (
        np.take_along_axis(flat, at + step, axis=1).reshape(m, n, n) for step in (0, 1, n, n + 1)
    )
    upper, lower = here + (beside - here) * right_share, below + (across - below) * right_share
    to_the_right = ((beside - here) * (1 - bottom_share) + (across - below) * bottom_share) * n
    return upper + (lower - upper) * bottom_share, inside.astype(np.float32), (to_the_right, (lower - upper) * n)


def _whole_and_part(places: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    held = np.clip(places, 0, n - 1.001)
    whole = held.astype(np.int32)
    return whole, (held - whole).astype(np.float32)


def _grid(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns and rows of the pixels' middles, -0.5..0.5, both (n, n)."""
    line = (np.arange(n, dtype=np.float32) + 0.5) / n - 0.5
    rows, columns = np.meshgrid(line, line, indexing="ij")
    return columns, rows


def _rest(warped: np.ndarray, second: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The gain (m, 1, 1) that gives the warped ones the contrast of the second, and what is then left to explain."""
    a, b = ((picture - _mean(picture, inside)) * inside for picture in (warped, second))
    gain = np.sqrt(_sum(b * b) / (_sum(a * a) + 1e-6))
    return gain, b - gain * a


def _correlation(a: np.ndarray, b: np.ndarray, inside: np.ndarray) -> np.ndarray:
    a, b = ((picture - _mean(picture, inside)) * inside for picture in (a, b))
    # The small number makes noise below half a grey level count for nothing.
    strength = np.sqrt(_sum(a * a) * _sum(b * b)) + 0.25 * _sum(inside) + 1e-6
    return np.asarray((_sum(a * b) / strength)[:, 0, 0])


def _mean(values: np.ndarray, inside: np.ndarray) -> np.ndarray:
    return np.asarray(_sum(values * inside) / np.maximum(_sum(inside), 1))


def _sum(values: np.ndarray) -> np.ndarray:
    return np.asarray(values.sum(axis=(1, 2), keepdims=True))


def _reduced(pictures: np.ndarray, side: int) -> np.ndarray:
    """Square pictures brought to `side`, a divisor of their own, by averaging."""
    m, n, _ = pictures.shape
    return np.asarray(pictures.reshape(m, side, n // side, side, n // side).mean(axis=(2, 4), dtype=np.float32))


def _blurred(pictures: np.ndarray) -> np.ndarray:
    """The mean of the 5 × 5 pixels around each one, the border repeated."""
    width = 2 * _DETAIL_RADIUS + 1
    padded = np.pad(pictures, ((0, 0), *((_DETAIL_RADIUS, _DETAIL_RADIUS),) * 2), mode="edge")
    rows, columns = pictures.shape[1:]
    across = np.stack([padded[:, :, k : k + columns] for k in range(width)]).sum(axis=0, dtype=np.float32)
    whole = np.stack([across[:, k : k + rows] for k in range(width)]).sum(axis=0, dtype=np.float32)
    return np.asarray(whole / width**2, np.float32)
