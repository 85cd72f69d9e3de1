"""Shards -> trained model with its head -> the most probable classes of each video, in one pass."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from compress.datasets.catalogue import first_repeat
from compress.datasets.source import Source
from compress.encoding.embedder import BATCH_SIZE, Embedder
from compress.encoding.splits import streamed_windows
from compress.errors import DataError, RecordError, UsageError
from compress.growing_array import GrowingArray
from compress.metrics import top_k
from compress.progress import Progress, Reporter, check_interrupt, silent
from compress.training.precision import Precision
from compress.training.scoring import ROWS, probabilities
from encoders import Inputs, Model

_STOPPED = "nothing was kept; run the same command again"


class Scorer(Embedder):
    """As `Embedder`, but its windows are the probabilities of all classes by the model's own head, (n, C).

    Args:
        model: with a head, in evaluation mode; it is moved to the device.
        precision: "bf16" (autocast) or "fp32".
        device: "cpu" or "cuda".
        batch_size: videos at once; affects rounding. None for what suits the device.
        workers: as `Embedder`.

    Raises:
        UsageError: a model without a head, or a batch size below 1.
    """

    def __init__(
        self,
        model: Model,
        precision: Precision,
        device: str,
        *,
        batch_size: int | None = None,
        workers: int | None = None,
    ) -> None:
        if model.head is None:
            raise UsageError("was fitted without a head, so it gives no probabilities")
        level = model.encoder.level
        at_once = batch_size or (ROWS[level] if device == "cpu" else BATCH_SIZE[device][level])
        super().__init__(model, precision, device, batch_size=at_once, workers=workers)

    @property
    def width(self) -> int:
        """Numbers per video: C."""
        return self.model.config.num_classes

    def _values(self, inputs: Inputs) -> Tensor:
        return probabilities(self.model, inputs, self.precision)


@dataclass(frozen=True, eq=False)
class Predictions:
    """The k most probable classes of n videos, best first.

    Args:
        ids: bytes (n,).
        probabilities: float32 (n, k).
        classes: int32 (n, k).
    """

    ids: np.ndarray
    probabilities: np.ndarray
    classes: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)


def predict(scorer: Scorer, source: Source, k: int, report: Reporter = silent) -> Iterator[Predictions]:
    """The most probable classes of every video of a source, in its order; labels in it are not looked at.

    Of all videos only the ids are kept, about 11 bytes each, to find one that is there twice.

    Args:
        scorer: of a model that fits the source.
        source: labelled or not.
        k: classes per video; all C when there are fewer.
        report: gets progress.

    Raises:
        RecordError, CorruptShardError: unusable records; after the last video, an id that is there twice.
        DataError: no videos, or a score that is not a number.
        Interrupted: on request.
    """
    arrived: deque[np.ndarray] = deque()
    ids, shard = GrowingArray(np.empty(0, "S1")), 0

    def seen(number: int, block: np.ndarray) -> None:
        nonlocal shard
        arrived.append(block)
        shard = number

    with closing(scorer.embed(streamed_windows(source, scorer.window_size, seen))) as batches:
        for batch in batches:
            if batch.window is None:
                continue
            own = _taken(arrived, len(batch.window))
            if np.isnan(batch.window).any():
                row = int(np.isnan(batch.window).any(axis=1).argmax())
                raise DataError(
                    f"the scores of video {own[row].decode()!r} are not numbers",
                    hint="train the run again with --fresh",
                )
            ids.append(own)
            yield Predictions(own, *top_k(batch.window, k))
            report(Progress("predict", shard, len(source.shards), "shards"))
            check_interrupt(_STOPPED)
    known = ids.finish()
    if not len(known):
        raise DataError("no usable record", where=source.shards[0])
    report(Progress("predict", len(source.shards), len(source.shards), "shards"))
    repeat = first_repeat(known)
    if repeat is not None:
        raise RecordError(
            f"video {known[repeat[0]].decode()!r} is there twice, as video {repeat[0]:,} and {repeat[1]:,}",
            where=source.shards[0].parent,
            hint="leave one of the files out if the same shard is given under two names",
        )


def _taken(arrived: deque[np.ndarray], count: int) -> np.ndarray:
    """The first `count` of the ids that have arrived."""
    parts: list[np.ndarray] = []
    while count:
        block = arrived.popleft()
        if len(block) > count:
            arrived.appendleft(block[count:])
        parts.append(block[:count])
        count -= len(parts[-1])
    return np.concatenate(parts)
