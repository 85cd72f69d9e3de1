"""The target that the trade-off and the demo share: a store of embeddings, judged by a fresh head."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compress.codecs import stored_bytes
from compress.errors import CorruptArtifactError, DataError, NotFoundError
from compress.evaluation.judges.names import judges_named
from compress.evaluation.judges.panel import panel_recipe
from compress.evaluation.judges.question import Search
from compress.evaluation.row_file import read_row
from compress.evaluation.scores import load_query_precision, load_scores
from compress.evaluation.splits import rows_by_id
from compress.index import open_index
from compress.jobs.names import store_name
from compress.jobs.sources import open_split
from compress.pipeline.engine import State, Status, Step, Target, Work
from compress.pipeline.maker import FreshHead, Maker, Training
from compress.pipeline.runs import RunFacts
from compress.store.reader import Store, open_store
from compress.training.run import Run

if TYPE_CHECKING:
    from compress.pipeline.costs import Costs


@dataclass(frozen=True)
class Shards:
    """The fingerprints of a workspace's shards by split, each level read once."""

    maker: Maker
    _known: dict[str, dict[str, str]] = field(default_factory=dict)

    def of_level(self, level: Any) -> dict[str, str]:
        """Of the shards that encoders of that level read."""
        workspace, policy = self.maker.workspace, self.maker.on_corrupt
        read = "frame" if level == "frame" and workspace.train_frames else "video"
        if read not in self._known:
            self._known[read] = {
                split: open_split(workspace, split, (), policy, level=read).fingerprint()
                for split in ("train", "validate")
            }
        return self._known[read]


@dataclass(frozen=True, kw_only=True)
class StoreTarget(Target):
    """One store of the first `prefix` dimensions (None: all) of a run's embeddings, and a head of one seed.

    `folder` keeps the evaluation, with `notes`; a store that is `searched` gets an index, too.
    """

    run: RunFacts
    training: Training
    codec: str
    head: FreshHead
    seed: int
    folder: Path
    maker: Maker
    shards: Shards
    prefix: int | None = None
    searched: bool = False
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return store_name(self.run.name, self.codec, self.prefix)

    @property
    def dim(self) -> int:
        """Size of the stored embeddings."""
        return self.prefix or self.run.dim

    @property
    def facts(self) -> dict[str, Any]:
        return {
            "store": self.name,
            "run": self.run.name,
            "dim": self.dim,
            "codec": self.codec,
            "bytes_per_video": stored_bytes(self.codec, self.dim),
            "seed": self.seed,
        }

    @property
    def essential(self) -> bool:
        return self.name == self.head.baseline  # without it nothing can be compared

    def status(self) -> Status:
        """The first thing that is missing, of the run as it is now, these shards and this head."""
        if self.run.model_sha256 is None:
            return Status(State.TO_TRAIN if self.run.learned else State.TO_COMPUTE)
        store = self._current_store()
        if store is None:
            return Status(State.TO_ENCODE)
        if not self._is_measured(store):
            return Status(State.TO_EVALUATE)
        return Status(State.TO_INDEX if self.searched and not self._is_indexed() else State.MEASURED)

    def work(self, status: Status, costs: Costs) -> Iterable[Work]:
        if status.state is State.TO_TRAIN:
            cost = costs.training(self.training)
            yield Work(f"runs/{self.run.name}", cost.seconds(), cost.weights_bytes)
        if status.state is not State.TO_EVALUATE:
            yield Work(f"embeddings/{self.name}", costs.encoding(self.training))
        yield Work(f"{self.folder}/{self.name}", costs.head(self.dim) + costs.resampling)

    def steps(self, status: Status) -> Iterator[Step]:
        if not Run(self.maker.workspace.run(self.run.name)).finished:  # an earlier target may have trained it
            yield self.maker.train(self.training)
        if status.state not in (State.TO_EVALUATE, State.TO_INDEX):
            yield self.maker.encode(self.run.name, self.codec, self.prefix)
        if self.searched and not self._is_indexed():
            yield self.maker.index(self.name)
        if status.state is not State.TO_INDEX:
            where = {"seed": self.seed, "folder": self.folder, "notes": self.notes}
            yield self.maker.evaluate_store(self.name, self.head, **where)

    def _current_store(self) -> Store | None:
        """The store, when it is of the run as it is now, and of these shards."""
        try:
            # Not verified: `encode` and `evaluate` verify what they read.
            store = open_store(self.maker.workspace.store(self.name), verify=False)
        except (NotFoundError, DataError):
            return None
        facts = store.metadata
        wanted = (self.run.name, self.run.model_sha256, self.codec, self.dim)
        found = (facts.get("run"), facts.get("model_sha256"), store.codec.name, store.dim)
        of_these_shards = found == wanted and facts.get("sources") == self.shards.of_level(facts.get("level"))
        return store if of_these_shards else None

    def _is_measured(self, store: Store) -> bool:
        scores = self.folder / "scores" / self.name
        try:
            _, facts = load_scores(scores)
            read_row(self.folder / f"{self.name}.json")
            complete = not self.head.retrieval or load_query_precision(scores) is not None
        except (NotFoundError, DataError):
            return False  # a damaged one is measured again
        search = Search(self.head.seeds, self.head.head_epochs, self.head.head_mixup, self.seed)
        ids = store.id_bytes[rows_by_id(store, "train")]
        recipe = panel_recipe(judges_named(self.head.heads), search, ids)
        return complete and facts.get("head") == recipe and facts.get("store_sha256") == store.sha256

    def _is_indexed(self) -> bool:
        """Whether the index beside the store is of that store; CorruptArtifactError where it is damaged."""
        workspace = self.maker.workspace
        try:
            open_index(workspace.index(self.name), store=open_store(workspace.store(self.name), verify=False))
        except CorruptArtifactError:
            raise
        except (NotFoundError, DataError):
            return False  # none, or one of an earlier version of the store
        return True
