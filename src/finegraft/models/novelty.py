"""How unlike the training data an item is, told from its features and scores: a formula, and what was measured for it.

Three signs, each weighed by how much it varies among the training data's own items:

- the distance of the features from the subspace that the training data spans (the residual of ViM: Wang et al., 2022,
  arXiv 2203.10807), which is large for photos of something else altogether;
- the Mahalanobis distance to the nearest class less that to all classes together, both within the subspace (Ren et
  al., 2021, "A Simple Fix to Mahalanobis Distance for Improving Near-OOD Detection", arXiv 2106.09022), and
- how low the highest score is, which both tell a class that was never learned from those that were.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Likeness:
    """What features of the training data look like, all arrays float32.

    `mean` and `deviation` (d,) standardise; `basis` (d, r) has orthonormal columns; `within` and `overall` (r, r)
    whiten coordinates in it by the spread inside the classes and by that of everything; `centres` (k, r) are the
    classes' means, whitened by `within`.
    """

    mean: np.ndarray
    deviation: np.ndarray
    basis: np.ndarray
    within: np.ndarray
    overall: np.ndarray
    centres: np.ndarray

    def signs(self, features: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """The three signs of n items, float64 (n, 3), from their features (n, d) and scores (n, k)."""
        standard = (features - self.mean) / self.deviation
        inside = standard @ self.basis
        beside = np.linalg.norm(standard - inside @ self.basis.T, axis=1)
        white = inside @ self.within
        to_centres = ((white**2).sum(axis=1)[:, None] - 2 * white @ self.centres.T) + (self.centres**2).sum(axis=1)
        relative = to_centres.min(axis=1) - ((inside @ self.overall) ** 2).sum(axis=1)
        return np.stack([beside, relative, -scores.max(axis=1)], axis=1).astype(np.float64)


@dataclass(frozen=True, eq=False)
class Novelty:
    """The signs as one number, `signs @ weights + offset`: above 1 an item is unlike the training data."""

    likeness: Likeness
    weights: np.ndarray
    offset: float

    def of(self, features: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """How novel n items are, float64 (n,); `features` (n, d), `scores` (n, k) before any temperature."""
        return np.asarray(self.likeness.signs(features, scores) @ self.weights + self.offset)
