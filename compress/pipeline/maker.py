"""The jobs of one workspace, with the settings that all targets of a pipeline share."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from compress.datasets.policy import OnCorrupt
from compress.jobs.encode import encode_store
from compress.jobs.evaluate import evaluate_runs, evaluate_store
from compress.jobs.names import run_name
from compress.jobs.train import train_run
from compress.progress import Reporter
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
    """How stores are judged by a fresh head.

    Args:
        baseline: the store that deltas are measured against.
        epochs: passes over the data; None for the recipe's.
        mixup: alpha of its mixup; 0 for none.
        retrieval: also measure the nearest neighbours.
    """

    baseline: str = "original"
    epochs: int | None = None
    mixup: float = 0.0
    retrieval: bool = True


@dataclass(frozen=True)
class Maker:
    """Trains, encodes and evaluates in one workspace.

    Args:
        workspace: where everything lies.
        on_corrupt: what happens to unusable records.
        seed: >= 0. threads: 0 for all. device: "auto", "cpu" or "cuda".
    """

    workspace: Workspace
    on_corrupt: OnCorrupt = "fail"
    seed: int = 0
    threads: int = 0
    device: str = "auto"

    def train(self, training: Training, report: Reporter) -> None:
        """Train a run, or go on with it."""
        train_run(
            self.workspace,
            **asdict(training),
            on_corrupt=self.on_corrupt,
            seed=self.seed,
            threads=self.threads,
            device=self.device,
            report=report,
        )

    def encode(self, run: str, codec: str, prefix: int | None, report: Reporter) -> None:
        """Write the store of a run, or of the first `prefix` dimensions of its embeddings."""
        encode_store(
            self.workspace,
            dim=prefix,
            name=run,
            codec=codec,
            on_corrupt=self.on_corrupt,
            device=self.device,
            report=report,
        )

    def index(self, store: str, report: Reporter) -> None:
        """Build the index of a store."""
        from compress.jobs.index import index_store  # imported late: faiss and torch take seconds

        index_store(self.workspace, name=store, seed=self.seed, device=self.device, report=report)

    def evaluate_run(self, run: str, report: Reporter) -> None:
        """Measure a run with its own head, also where an evaluation is there."""
        evaluate_runs(
            self.workspace,
            runs=(run,),
            again=True,
            on_corrupt=self.on_corrupt,
            seed=self.seed,
            threads=self.threads,
            device=self.device,
            report=report,
        )

    def evaluate_store(
        self,
        store: str,
        head: FreshHead,
        report: Reporter,
        *,
        seed: int | None = None,
        folder: Path | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        """Measure a store with a fresh head.

        Args:
            store: its name.
            head: how.
            report: gets progress.
            seed: of the head, in place of the maker's.
            folder: where the evaluation is kept; None for evaluation/ of the workspace.
            notes: sentences to keep with the row.
        """
        evaluate_store(
            self.workspace,
            name=store,
            baseline=head.baseline,
            head_epochs=head.epochs,
            head_mixup=head.mixup,
            retrieval=head.retrieval,
            seed=self.seed if seed is None else seed,
            threads=self.threads,
            device=self.device,
            notes=notes,
            folder=folder,
            report=report,
        )
