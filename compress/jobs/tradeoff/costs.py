"""What points cost, measured on a few steps of two fresh heads, batches of each encoder and resamples."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cache, cached_property

import numpy as np
import torch

from compress.datasets.schema import FeatureSchema
from compress.datasets.table import FrameTable, VideoTable
from compress.evaluation.intervals import RESAMPLES
from compress.jobs.sources import Tables
from compress.jobs.tradeoff.request import TradeoffRequest
from compress.jobs.tradeoff.runs import RunFacts
from compress.jobs.train import recipe_changes
from compress.machine import choose_device
from compress.metrics import MetricAccumulator, replicates
from compress.training.config import TrainConfig
from compress.training.inputs import Table, batch
from compress.training.recipes import fresh_head_config, train_config
from compress.training.run import load_model, model_manifest
from compress.training.timing import FORWARD, Cost, measure_cost
from compress.workspace import Workspace

SMALL = 64  # numbers a video of the smaller of the two heads
BATCH, BUDGET = 256, 1.0  # of timing an encoder: videos at once, seconds
# Seconds of timing a training. In fewer a busy machine times small parts of batches, of which the step of the
# optimiser is too large a part.
TRAINING_BUDGET = 6.0
SOME = 10  # resamples


class Costs:
    """Measures points of one workspace.

    Args:
        workspace: whose runs.
        tables: of its videos.
        schema: of its video-level features.
        request: device, threads, and the epochs of the heads.
    """

    def __init__(
        self, workspace: Workspace, tables: Tables, schema: FeatureSchema, request: TradeoffRequest
    ) -> None:
        self._workspace, self._tables, self._schema, self._request = workspace, tables, schema, request
        self.encoding, self.trained = cache(self._encoding), cache(self._trained)

    def training(self, run: RunFacts) -> float:
        """Seconds of a training."""
        return self.trained(run).seconds()

    def head(self, dim: int) -> float:
        """Seconds of a fresh head on `dim` numbers a video: a part of it goes with them, a part does not."""
        small, large = min(SMALL, self._schema.dim), self._schema.dim
        if small == large:
            return self._large
        slope = max(self._large - self._small, 0.0) / (large - small)
        return max(self._small + slope * (dim - small), 0.0)

    @cached_property
    def intervals(self) -> float:
        """Seconds of what comes after a head: resampling it and the baseline, all videos and each half."""
        validation = self._features[1]
        scores = MetricAccumulator(self._schema.num_classes)
        draws = np.random.default_rng(self._request.seed)
        for first in range(0, len(validation), BATCH):
            labels = validation.labels.multi_hot(np.arange(first, min(first + BATCH, len(validation))))
            scores.update(draws.random(labels.shape, dtype=np.float32), labels)
        top, begun = scores.top(), time.perf_counter()
        replicates(top, SOME)
        # Twice all videos, and three times two halves: of the row, of its baseline, and for the report.
        return (time.perf_counter() - begun) * RESAMPLES / SOME * (2 + 3)

    def _encoding(self, run: RunFacts) -> float:
        """Seconds of all videos through a run's encoder; of what is computed, next to nothing."""
        if run.model_sha256 is None:
            return self.trained(run).epoch * FORWARD if run.learned else 0.0
        folder = self._workspace.run(run.name)
        schema = FeatureSchema.from_json(model_manifest(folder).metadata["schema"])
        tables = [self._tables.table(split, schema) for split in ("train", "validate")]
        device = torch.device(choose_device(self._request.device))
        model = load_model(folder)[0].to(device).eval()
        videos, begun = 0, time.perf_counter()
        with torch.inference_mode():
            while time.perf_counter() - begun < BUDGET:
                rows = np.arange(videos, min(videos + BATCH, len(tables[0])))
                if not len(rows):
                    break
                model.embed(batch(tables[0], rows, device)[0])
                videos += len(rows)
        return (time.perf_counter() - begun) / max(videos, 1) * sum(map(len, tables))

    def _trained(self, run: RunFacts) -> Cost:
        changes = recipe_changes((), self._request.seed, {"nested_dims": run.prefixes or None})
        config = train_config(run.encoder, run.dim, self._request.preset, changes)
        return self._cost(config, *self._features)

    @cached_property
    def _large(self) -> float:
        return self._measured(*self._features)

    @cached_property
    def _small(self) -> float:
        return self._measured(*(_narrow(table, SMALL) for table in self._features))

    @property
    def _features(self) -> tuple[Table, Table]:
        return self._tables.table("train", self._schema), self._tables.table("validate", self._schema)

    def _measured(self, table: Table, validation: Table) -> float:
        config = fresh_head_config(self._request.head_epochs, self._request.seed, self._request.head_mixup)
        return self._cost(config, table, validation).seconds()

    def _cost(self, config: TrainConfig, table: Table, validation: Table) -> Cost:
        return measure_cost(
            config,
            table,
            validation,
            device=choose_device(self._request.device),
            threads=self._request.threads,
            budget=TRAINING_BUDGET,
        )


def _narrow(table: Table, dim: int) -> VideoTable:
    """The first `dim` numbers of each video."""
    assert not isinstance(table, FrameTable)
    schema = replace(table.schema, names=("embedding",), dims=(dim,))
    return VideoTable(table.ids, np.asarray(table.features[:])[:, :dim], table.labels, schema)
