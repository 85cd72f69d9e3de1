"""What makes a run that is missing."""

from __future__ import annotations

from compress.jobs.tradeoff.request import TradeoffRequest
from compress.jobs.tradeoff.runs import RunFacts
from compress.jobs.train import TrainRequest


def training_of(request: TradeoffRequest, run: RunFacts) -> TrainRequest:
    """The training of a run that its name describes; one model for all its sizes."""
    return TrainRequest(
        dim=None if run.encoder == "identity" else run.dim,
        encoder=run.encoder,
        preset=request.preset,
        epochs=None,
        batch_size=None,
        learning_rate=None,
        settings=(),
        name=run.name,
        train=(),
        validate=(),
        num_classes=None,
        fresh=False,
        on_corrupt=request.on_corrupt,
        seed=request.seed,
        threads=request.threads,
        device=request.device,
        nested=run.prefixes or None,
    )
