"""The second stage of a training, in which layers below the head learn: what learns, and what answers when it has."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import cached_property
from typing import cast

from torch import Tensor

from finegraft.data.dataset import Dataset
from finegraft.data.record import Split
from finegraft.errors import UsageError
from finegraft.models.heads import HeadKind
from finegraft.training import weights
from finegraft.training.fine_tuning import ASIDE, Settled, Trial, head_alone, settled, tuned_from
from finegraft.training.ground import Ground, divided
from finegraft.training.origin import Origin
from finegraft.training.recipe import Recipe, Table
from finegraft.training.trunks import Grafting
from finegraft.training.tuning import Manner, Tuning


class NetworkStage:
    """Layers of the backbone behind `origin` that learn, from the training part of `data` less what is kept aside.

    `tables` are those of all parts but the judged one, `recipe` how heads are made and judged, `manner` how the network
    learns, `wanted_error` how often answers that are no close calls may be wrong. `tuning` is what learns; None where
    only the head on the frozen backbone does.
    """

    def __init__(
        self,
        origin: Origin,
        data: Dataset,
        tables: Mapping[Split, Table],
        recipe: Recipe,
        manner: Manner,
        wanted_error: float,
    ) -> None:
        self.tuning: Tuning | None = None
        self._origin = origin
        self._data = data
        self._tables = tables
        self._recipe = recipe
        self._manner = manner
        self._wanted_error = wanted_error
        self._settled: Settled | None = None

    @property
    def grafting(self) -> Grafting:
        """The origin, whose backbone may learn. Raises `UsageError` where there is none."""
        if not hasattr(self._origin, "trunk"):
            raise UsageError("There is no backbone here that could learn, only features.")
        return cast(Grafting, self._origin)

    @cached_property
    def ground(self) -> Ground:
        """The records that may be learned from, and those that are kept aside. Raises `DataError` where none can be."""
        return divided(self._data, self._tables, ASIDE, self._recipe.seed)

    def freeze_to(self, n: int) -> None:
        """Let the groups of layers from number `n` on learn; what has learned so far goes on from where it stands."""
        if self.tuning is not None and self.tuning.holds(n):
            self.tuning.freeze_to(n)
            return
        before = self.answering()
        if before is None:
            head, _ = head_alone(self._recipe, "linear", self.ground)
            self.tuning = tuned_from(self.grafting, self._recipe, head, self.ground, self._manner, n)
            return
        head = copy.deepcopy(before.head).to(self.ground.learned.truth.device)
        self.tuning = tuned_from(before.origin, self._recipe, head, self.ground, self._manner, n)
        self.tuning.fits = 1

    def afresh(self, kind: HeadKind) -> tuple[Tuning, Trial]:
        """The network with its usual layers learning, from the frozen backbone on; and what a head of `kind` alone says
        of the records kept aside.
        """
        head, linear = head_alone(self._recipe, "linear", self.ground)
        alone = linear if kind == "linear" else head_alone(self._recipe, kind, self.ground)[1]
        return tuned_from(self.grafting, self._recipe, head, self.ground, self._manner), alone

    def put(self, below: int, tensors: Mapping[str, Tensor]) -> None:
        """Go on from weights of a network that has learned above the lowest `below` groups of layers."""
        head = self._recipe.fresh("linear", self.ground.learned)
        tuning = tuned_from(self.grafting, self._recipe, head, self.ground, self._manner, below)
        # A card learns all of it where a processor learned what lies above a cut; below that it is the backbone's own.
        own = tuning.network.state_dict() if tuning.below < below else {}
        lower = {name: value for name, value in own.items() if name.startswith("trunk.") and name not in tensors}
        weights.put(tuning.network, {**lower, **tensors})
        tuning.fits = 1
        self.tuning, self._settled = tuning, None

    def going_on(self) -> None:
        """Forget what answered: the network is about to learn."""
        self._settled = None

    def answering(self) -> Settled | None:
        """The network frozen as it stands; None where it has not learned, and the head alone answers."""
        if self.tuning is None or not self.tuning.fits:
            return None
        if self._settled is None:
            self._settled = settled(self.tuning, self._recipe, self.ground.groups, self._wanted_error)
        return self._settled
