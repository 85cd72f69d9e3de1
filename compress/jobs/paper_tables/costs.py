"""What the rows of a table cost, measured on a few steps of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from compress.datasets.schema import FeatureSchema
from compress.jobs.data_tables import Tables
from compress.jobs.paper_tables.tasks import TablesRequest, Task
from compress.machine import choose_device
from compress.training.config import TrainConfig
from compress.training.recipes import fresh_head_config, train_config
from compress.training.timing import FORWARD, Cost, measure_cost

COMPUTED = Cost(0.0, 0.0, 0.0, 0, 0, 0)
"""Of an encoder that is computed, not trained: seconds, which do not count here."""


@dataclass(frozen=True)
class RowCost:
    """Of the training, and seconds of what comes after it: encoding, a fresh head, the evaluation."""

    training: Cost
    after: float

    def seconds(self, epochs_done: int, *, trained: bool) -> float:
        """What is left of the row."""
        return self.after + (0.0 if trained else self.training.seconds(epochs_done))


class Costs:
    """Measures rows of one workspace.

    Args:
        tables: of its videos.
        levels: what its shards hold.
        request: device, threads, and the epochs of every row.
    """

    def __init__(self, tables: Tables, levels: Mapping[str, FeatureSchema], request: TablesRequest) -> None:
        self._tables, self._levels, self._request = tables, levels, request

    def of(self, task: Task, paid: bool) -> RowCost:
        """The cost of a row; of one whose run is `paid` by another row, only what comes after its training.

        Raises:
            CompressError: it cannot be trained.
        """
        asked = task.training
        config = train_config(asked.encoder, asked.dim, asked.preset, asked.changes(self._request.seed))
        training = COMPUTED if config.head is None else self._measured(config, task.level)
        after = training.validation
        if task.codec is not None:
            # The store holds all videos, each embedded by one forward pass.
            after += training.epoch * FORWARD + self._head.seconds() * self._share(asked.dim)
        return RowCost(COMPUTED if paid else training, after)

    def _measured(self, config: TrainConfig, level: str) -> Cost:
        schema = self._levels[level]
        return measure_cost(
            config,
            self._tables.table("train", schema),
            self._tables.table("validate", schema),
            device=choose_device(self._request.device),
            threads=self._request.threads,
        )

    @cached_property
    def _head(self) -> Cost:
        """Of the fresh head on the original features."""
        return self._measured(fresh_head_config(None, self._request.seed), "video")

    def _share(self, dim: int | None) -> float:
        """A head's cost goes with the numbers it reads."""
        original = self._levels["video"].dim
        return (dim or original) / original
