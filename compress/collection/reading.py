"""The half of a collection that only reads: search, look up, count."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from compress.arrays import is_frames, numbers, whole_number
from compress.artifacts.manifest import render_manifest
from compress.collection.finding import find, matches
from compress.collection.passed import as_embeddings, asked_ids
from compress.collection.results import Match, Stats
from compress.collection.segment import files_of
from compress.collection.state import State
from compress.collection.where import parse_where, sql_types
from compress.collection.writing import bytes_of
from compress.errors import RecordError, UsageError
from compress.index.rows import as_queries, comparable, numbered


class Reading:
    """What `compress.Collection` does without writing: each call sees one state from beginning to end."""

    _state: State

    def __len__(self) -> int:
        return len(self._state)

    @property
    def generation(self) -> int:
        """Commits so far, as this object sees them; see `refresh`."""
        return self._state.facts.generation

    def search(
        self,
        queries: Any,
        k: int = 10,
        *,
        raw: bool | None = None,
        where: str | None = None,
        exclude: str | Iterable[Any] = (),
        min_score: float | None = None,
    ) -> list[list[Match]]:
        """The k most similar videos of each query, best first; fewer where fewer pass. Every row is compared.

        Args:
            queries: one vector (dim,) or several (q, dim), or raw features where there is an encoder.
            k: >= 1.
            raw: whether `queries` are raw features; None goes by their width.
            where: an SQL expression over the metadata's columns, `video_id` and `labels` (a list of names, of
                numbers where classes have no names); only videos for which it is true are found.
            exclude: ids that are not to be found.
            min_score: only videos that score at least this.

        Raises:
            UsageError: k, `where` or `min_score` is wrong; features without an encoder.
            SchemaError, RecordError, DataError: vectors that do not fit, NaN, or all zeros (cosine).
        """
        state = self._state
        given = queries if is_frames(queries) else np.atleast_2d(numbers(queries, "queries"))
        if not is_frames(queries) and not len(given):
            return []
        vectors = as_embeddings(state, given, raw, "queries")
        return self._search(state, vectors, k, where, exclude, min_score)

    def search_like(
        self,
        video_ids: str | Iterable[Any],
        k: int = 10,
        *,
        where: str | None = None,
        exclude: str | Iterable[Any] = (),
        min_score: float | None = None,
    ) -> list[Match]:
        """The k videos most similar to some of the collection (to their mean), without these themselves.

        Arguments and errors as those of `search`.

        Raises:
            NotFoundError: no such video. RecordError: its embedding is all zeros, so it has no cosine.
        """
        state, asked = self._state, asked_ids(video_ids, "video_ids")
        if not len(asked):
            raise UsageError("no video to search from was named", where="video_ids")
        vectors = state.decoded(*state.find_all(asked))
        if state.facts.metric == "cosine":
            vectors = comparable(vectors, "cosine", numbered("video"), keep_zeros=True)
        mean = vectors.mean(axis=0, keepdims=True)
        if state.facts.metric == "cosine" and not mean.any():
            raise RecordError("is all zeros and so has no cosine", where=asked[0].decode(errors="replace"))
        others = [*asked.tolist(), *asked_ids(exclude, "exclude").tolist()]
        return self._search(state, mean, k, where, others, min_score)[0]

    def _search(
        self,
        state: State,
        vectors: np.ndarray,
        k: int,
        where: str | None,
        exclude: str | Iterable[Any],
        min_score: float | None,
    ) -> list[list[Match]]:
        k = whole_number(k, "k", least=1)
        if min_score is not None and not (
            isinstance(min_score, int | float | np.number) and math.isfinite(min_score)
        ):
            raise UsageError(f"min_score is {min_score!r}, not a number", where="min_score")
        filtered = None if where is None else parse_where(where)
        left_out = asked_ids(exclude, "exclude")
        if state.codec is None:
            return [[] for _ in vectors]
        ready = comparable(as_queries(vectors, state.codec.dim), state.facts.metric, numbered("query"))
        return find(state, ready, k, where=filtered, exclude=left_out, min_score=min_score)

    def video(self, video_id: str) -> Match:
        """One video, with a score of 1; NotFoundError that suggests similar ids when there is none."""
        state = self._state
        owners, rows = state.find_all(asked_ids(video_id, "video_id"))
        return matches(state, np.ones(1, np.float32), owners, rows)[0]

    def embeddings(self, video_ids: str | Iterable[Any]) -> np.ndarray:
        """Embeddings float32 (n, dim) as they are stored, each once; NotFoundError for unknown ids."""
        state = self._state
        asked = asked_ids(video_ids, "video_ids")
        if not len(asked):
            return np.empty((0, state.facts.dim or 0), np.float32)
        return state.decoded(*state.find_all(asked))

    def ids(self) -> list[str]:
        """Ids of the living videos, segment by segment in ascending order."""
        return [
            name.decode()
            for each in self._state.segments
            for name in (each.ids if each.alive is None else each.ids[each.alive]).tolist()
        ]

    def stats(self) -> Stats:
        """What the collection holds."""
        state = self._state
        facts, files = state.facts, state.manifest.files
        segments = tuple(
            {
                "name": each.name,
                "videos": each.living,
                "deleted": len(each.gone),
                "bytes": sum(files[name].bytes for name in files_of(state.manifest, each.name)),
            }
            for each in state.segments
        )
        return Stats(
            videos=len(state),
            deleted=sum(len(each.gone) for each in state.segments),
            segments=segments,
            dim=facts.dim,
            codec=facts.codec,
            bytes_per_video=None if state.codec is None else state.codec.bytes_per_video,
            bytes=bytes_of(state.manifest) + len(render_manifest(state.manifest)),
            metric=facts.metric,
            columns={} if state.schema is None else sql_types(state.schema.empty_table()),
            num_classes=state.num_classes,
            generation=facts.generation,
            encoder=None if facts.encoder is None else facts.encoder["name"],
        )

    def vocabulary(self) -> Mapping[int, str]:
        """Names of the classes by number; {} where they have none."""
        return dict(self._state.names.names)
