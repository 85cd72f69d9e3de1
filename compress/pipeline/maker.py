"""The jobs that targets are made by, with the workspace and the settings that all of a pipeline's share."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from compress.datasets.policy import OnCorrupt
from compress.jobs.encode import encode_store
from compress.jobs.evaluate import evaluate_runs, evaluate_store
from compress.jobs.names import run_name
from compress.jobs.train import train_run
from compress.pipeline.engine import Step
from compress.workspace import Workspace


@dataclass(frozen=True)
class Training:
    """What makes a run; see `train_run`."""

    encoder: str
    dim: int | None
    name: str | None = None
    preset: str = "best"
    epochs: int | None = None
    settings: tuple[str, ...] = ()
    nested: tuple[int, ...] | None = None

    @property
    def run(self) -> str:
        """The run's name."""
        return run_name(self.encoder, self.dim, self.name)


@dataclass(frozen=True)
class FreshHead:
    """How stores are judged by fresh heads; arguments as of `evaluate_store`."""

    baseline: str = "original"
    heads: tuple[str, ...] = ()
    seeds: int | None = None
    head_epochs: int | None = None
    head_mixup: float | None = None
    retrieval: bool = True


@dataclass(frozen=True)
class Maker:
    """Jobs in one workspace, ready to be called with a reporter."""

    workspace: Workspace
    on_corrupt: OnCorrupt = "fail"
    seed: int = 0
    threads: int = 0
    device: str = "auto"

    def train(self, training: Training) -> Step:
        """Train a run, or continue with it."""
        return partial(
            train_run, self.workspace, **asdict(training), on_corrupt=self.on_corrupt, **self._compute
        )

    def encode(self, run: str, codec: str, prefix: int | None = None) -> Step:
        """Write the store of a run, or of the first `prefix` dimensions of its embeddings."""
        policy, device = self.on_corrupt, self.device
        return partial(
            encode_store, self.workspace, name=run, codec=codec, dim=prefix, on_corrupt=policy, device=device
        )

    def index(self, store: str) -> Step:
        """Build the index of a store."""
        from compress.jobs.index import index_store  # imported late: faiss and torch take seconds

        return partial(index_store, self.workspace, name=store, seed=self.seed, device=self.device)

    def evaluate_run(self, run: str) -> Step:
        """Measure a run with its own head, also where an evaluation is there."""
        return partial(
            evaluate_runs,
            self.workspace,
            runs=(run,),
            again=True,
            on_corrupt=self.on_corrupt,
            **self._compute,
        )

    def evaluate_store(self, store: str, head: FreshHead, **where: Any) -> Step:
        """Measure a store with a fresh head."""
        return partial(
            evaluate_store, self.workspace, name=store, **{**asdict(head), **self._compute, **where}
        )

    @property
    def _compute(self) -> dict[str, Any]:
        return {"seed": self.seed, "threads": self.threads, "device": self.device}
