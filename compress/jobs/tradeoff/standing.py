"""How far each point is in a workspace: measured on this data with this recipe, or what is missing."""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

from compress.errors import DataError, NotFoundError
from compress.evaluation.scores import load_query_precision, load_scores
from compress.jobs.sources import open_split
from compress.jobs.tradeoff.point import StorePoint
from compress.jobs.tradeoff.request import TradeoffRequest
from compress.jobs.tradeoff.runs import Runs
from compress.reports import read_row
from compress.store.reader import Store, open_store
from compress.training.recipes import fresh_head_config
from compress.workspace import Workspace


class State(StrEnum):
    """How far a point is."""

    MEASURED = "measured"
    TO_EVALUATE = "to evaluate"
    TO_ENCODE = "to encode"
    TO_COMPUTE = "to compute"
    TO_TRAIN = "to train"


def seed_folder(workspace: Workspace, number: int, seed: int) -> Path:
    """Where what the heads of one seed gave is kept: that of the first beside all other evaluations."""
    return workspace.evaluation / "seeds" / str(seed) if number else workspace.evaluation


class Standings:
    """Looks at stores and evaluations of a workspace.

    Args:
        workspace: whose.
        runs: of the workspace.
        request: how heads are trained, and whether neighbours count too.
    """

    def __init__(
        self,
        workspace: Workspace,
        runs: Runs,
        request: TradeoffRequest,
    ) -> None:
        self._workspace, self._runs, self._request = workspace, runs, request

    def of(self, point: StorePoint, seed: int, folder: Path) -> State:
        """How far the head of one seed is on one point."""
        run = self._runs.facts(point.run)
        if run.model_sha256 is None:
            return State.TO_TRAIN if run.learned else State.TO_COMPUTE
        store = self._store(point)
        if store is None:
            return State.TO_ENCODE
        return State.MEASURED if self._is_measured(store, point.name, seed, folder) else State.TO_EVALUATE

    def _store(self, point: StorePoint) -> Store | None:
        """The point's store, when it is of the run as it is now, and of these shards."""
        try:
            # Not verified: `encode` and `evaluate` verify what they read.
            store = open_store(self._workspace.store(point.name), verify=False)
        except (NotFoundError, DataError):
            return None
        facts, run = store.metadata, self._runs.facts(point.run)
        wanted = (run.name, run.model_sha256, point.codec, point.prefix or run.dim)
        told = (facts.get("run"), facts.get("model_sha256"), store.codec.name, store.dim)
        return store if told == wanted and facts.get("sources") == self._sources(facts.get("level")) else None

    def _sources(self, level: Any) -> dict[str, str]:
        return self._frames if level == "frame" and self._workspace.train_frames else self._features

    @cached_property
    def _features(self) -> dict[str, str]:
        return self._fingerprints("video")

    @cached_property
    def _frames(self) -> dict[str, str]:
        return self._fingerprints("frame")

    def _fingerprints(self, level: str) -> dict[str, str]:
        opened = {
            split: open_split(self._workspace, split, (), self._request.on_corrupt, level=level)
            for split in ("train", "validate")
        }
        return {split: source.fingerprint() for split, source in opened.items()}

    def _is_measured(self, store: Store, name: str, seed: int, folder: Path) -> bool:
        scores = folder / "scores" / name
        try:
            _, facts = load_scores(scores)
            read_row(folder / f"{name}.json")
            found = not self._request.retrieval or load_query_precision(scores) is not None
        except (NotFoundError, DataError):
            return False  # a damaged one is measured again
        config = fresh_head_config(self._request.head_epochs, seed, self._request.head_mixup).to_json()
        return found and facts.get("head") == config and facts.get("store_sha256") == store.sha256
