"""What targets cost: trainings, encoders, fresh heads and resamples, each timed for a few seconds."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cache, cached_property

import numpy as np
import torch

from compress.datasets.schema import FeatureSchema
from compress.datasets.table import FrameTable, VideoTable
from compress.errors import SchemaError
from compress.evaluation.judges.cost import judging_seconds
from compress.evaluation.judges.names import judges_named
from compress.evaluation.judges.panel import JUDGES
from compress.evaluation.judges.question import Search
from compress.jobs.settings import recipe_changes
from compress.jobs.sources import LabelledVideos, schemas
from compress.machine import choose_device
from compress.metrics import RESAMPLES, MetricAccumulator, replicates
from compress.pipeline.maker import FreshHead, Maker, Training
from compress.progress import Note, Reporter
from compress.training.config import TrainConfig
from compress.training.cost import FORWARD, Cost, measure_cost
from compress.training.inputs import Table, batch
from compress.training.recipes import CLOSED_FORM, train_config
from compress.training.run import Run, load_model, model_manifest
from encoders import encoder_level

CLOSED_FORM_COST = Cost(0.0, 0.0, 0.0, 0, 0, 0)
"""Of an encoder that is computed, not trained: seconds, which do not count here."""

_SMALL_DIM = 64  # embedding size of the smaller of the two heads that are timed
_BATCH = 256  # videos at once, when an encoder is timed
_ENCODING_SECONDS = 1.0
_SOME = 10  # resamples


class Costs:
    """Times the work of one workspace; everything is timed once."""

    def __init__(self, maker: Maker, report: Reporter, head: FreshHead, budget: float) -> None:
        self._maker, self._report, self._head, self._budget = maker, report, head, budget
        self._videos = LabelledVideos(maker.workspace, (), maker.on_corrupt, report)
        self._levels = schemas(maker.workspace, maker.on_corrupt)
        self.training, self.encoding = cache(self._training), cache(self._encoding)

    def head(self, dim: int) -> float:
        """Seconds of the judges on embeddings of size `dim`: one part grows with them, one does not."""
        (large, small), features = self._heads, self._features[0].schema.dim
        slope = max(large - small, 0.0) / max(features - _SMALL_DIM, 1)
        return max(small + slope * (dim - _SMALL_DIM), 0.0)

    @cached_property
    def resampling(self) -> float:
        """Seconds of what comes after a head: resampling it and the baseline, all videos and each half."""
        validation = self._features[1]
        scores = MetricAccumulator(validation.schema.num_classes)
        draws = np.random.default_rng(self._maker.seed)
        for first in range(0, len(validation), _BATCH):
            labels = validation.labels.multi_hot(np.arange(first, min(first + _BATCH, len(validation))))
            scores.update(draws.random(labels.shape, dtype=np.float32), labels)
        top, begun = scores.top(), time.perf_counter()
        replicates(top, _SOME)
        judges = len(judges_named(self._head.heads))
        # All videos under each judge, of the row and of its baseline; the two halves of both, and the halves
        # for the report, where the confirmation half is resampled under each judge.
        times = 2 * judges + 2 + 1 + judges / 2
        return (time.perf_counter() - begun) * RESAMPLES / _SOME * times

    def _training(self, training: Training) -> Cost:
        """Of a run that is trained from the workspace's shards."""
        named = {"epochs": training.epochs, "nested_dims": training.nested}
        changes = recipe_changes(training.settings, self._maker.seed, named)
        config = train_config(training.encoder, training.dim, training.preset, changes)
        if config.head is None:
            return CLOSED_FORM_COST
        table, validation = self._of_level(encoder_level(CLOSED_FORM.get(config.encoder, config.encoder)))
        config = train_config(training.encoder, training.dim, training.preset, changes, len(table))
        self._report(Note(f"timing {training.run}"))
        return self._measured(config, table, validation)

    def _encoding(self, training: Training) -> float:
        """Seconds of all videos through the encoder of a run, finished or not."""
        folder = self._maker.workspace.run(training.run)
        if not Run(folder).finished:
            return self.training(training).epoch * FORWARD
        device = torch.device(choose_device(self._maker.device))
        schema = FeatureSchema.from_json(model_manifest(folder).metadata["schema"])
        tables = [self._videos.load(split, schema) for split in ("train", "validate")]
        model = load_model(folder)[0].to(device).eval()
        videos, begun = 0, time.perf_counter()
        with torch.inference_mode():
            while time.perf_counter() - begun < min(self._budget, _ENCODING_SECONDS):
                rows = np.arange(videos, min(videos + _BATCH, len(tables[0])))
                if not len(rows):
                    break
                model.embed(batch(tables[0], rows, device)[0])
                videos += len(rows)
        return (time.perf_counter() - begun) / max(videos, 1) * sum(map(len, tables))

    @cached_property
    def _heads(self) -> tuple[float, float]:
        """Seconds of all judges on all features, and on the first few of them."""
        self._report(Note("timing the judges"))
        large = self._judges(*self._features)
        if self._features[0].schema.dim <= _SMALL_DIM:
            return large, large
        return large, self._judges(*map(_narrow, self._features))

    def _judges(self, table: Table, validation: Table) -> float:
        head = self._head
        search = Search(head.seeds, head.head_epochs, head.head_mixup, self._maker.seed)
        return judging_seconds(
            [JUDGES[name] for name in judges_named(head.heads)],
            search,
            table,
            validation,
            device=choose_device(self._maker.device),
            threads=self._maker.threads,
            budget=self._budget,
        )

    @property
    def _features(self) -> tuple[Table, Table]:
        return self._of_level("video")

    def _of_level(self, level: str) -> tuple[Table, Table]:
        schema = self._levels.get(level)
        if schema is None:
            raise SchemaError(f"the workspace has no {level}-level shards", where=self._maker.workspace.root)
        return self._videos.load("train", schema), self._videos.load("validate", schema)

    def _measured(self, config: TrainConfig, table: Table, validation: Table) -> Cost:
        return measure_cost(
            config,
            table,
            validation,
            device=choose_device(self._maker.device),
            threads=self._maker.threads,
            budget=self._budget,
        )


def _narrow(table: Table) -> VideoTable:
    """The first dimensions of each video."""
    assert not isinstance(table, FrameTable)
    schema = replace(table.schema, names=("embedding",), dims=(_SMALL_DIM,))
    return VideoTable(table.ids, np.asarray(table.features[:])[:, :_SMALL_DIM], table.labels, schema)
