"""`compress.Index`: finding the videos most similar to a vector."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import numpy as np

from compress.arrays import as_path, plain_array, whole_number
from compress.artifacts.hashed import Verify
from compress.codecs import Codec
from compress.codecs.float32 import Float32
from compress.errors import DataError, OutOfRangeError, UsageError
from compress.index.aligned import aligned
from compress.index.build import build
from compress.index.codes import CodesIndex
from compress.index.faiss_index import EXACT_BELOW, bytes_per_video
from compress.index.hits import Hits
from compress.index.recall import recall_against
from compress.index.reranking import DEPTH, rerank_by
from compress.index.rows import Selection, Store, as_queries, as_store, comparable, numbered, select
from compress.index.saved import IndexFacts, load, save
from compress.index.searching import search_all
from compress.index.tuning import others
from compress.progress import Reporter, silent


class Index:
    """Videos that can be searched; made by `build` from an array or a store, or by `open`.

    Row numbers are those of the array or store, also when only a split of a store was indexed. Scores are as
    exact as the vectors that candidates are re-ranked with: 16-bit floats to three digits, 8-bit scalars to
    about two; an index of codes scores the float32 query against the decoded rows. Thread-safe.

    Example:
        >>> import compress
        >>> index = compress.Index.build([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], ids=["up", "right", "both"])
        >>> index.search([2.0, 0.1], k=2).ids.tolist()
        [['right', 'both']]
    """

    def __init__(self, engine: Any, id_bytes: np.ndarray, facts: IndexFacts) -> None:
        self._engine = engine
        self.id_bytes, self.facts = id_bytes, facts

    @classmethod
    def build(
        cls,
        rows: Any,
        ids: Iterable[Any] | None = None,
        *,
        codec: Codec | None = None,
        original: Any = None,
        metric: str = "cosine",
        factory: str | None = None,
        on_codes: bool | None = None,
        split: str | None = None,
        recall_queries: int = 1000,
        wanted_recall: float = 0.95,
        exact_below: int = EXACT_BELOW,
        seed: int = 0,
        device: str = "auto",
        report: Reporter = silent,
    ) -> Self:
        """Index embeddings or codes, and measure how many of the true neighbours a search finds.

        Recall@10 is measured against an exact search of the stored (decoded) rows, for every kind of index:
        `facts.recall_at_10`. What the codec lost is not in it, only in `facts.recall_at_10_float32`, against
        an exact search of `original`. An approximate index keeps the cheapest search setting that reaches
        `wanted_recall` of the stored rows; when none does, it keeps the best one and reports a note. A video
        is not its own neighbour; ties with the tenth neighbour count as found. A video of zeros has no
        cosine: it counts as 0 similar to every query, and a note says how many there are
        (`facts.zero_vectors`).

        Args:
            rows: embeddings (n, dim) as an array, tensor or list; with `codec` its codes; or a store (see
                `compress.open_store`).
            ids: of an array's rows: text, bytes or whole numbers; None for the row numbers.
            codec: that made the codes, when `rows` are codes.
            original: the float32 embeddings that the rows were made from, see `recall`; float32 rows need
                none.
            metric: "cosine" (rows are divided by their L2 norm) or "ip" (inner product).
            factory: FAISS factory string; None chooses "Flat" below `exact_below` videos, else inverted lists
                with 4-bit product quantisation and re-ranking.
            on_codes: True searches the codes themselves; False decodes every row into a FAISS index. None
                takes codes (of any codec but float32) for fewer than 2,000,000 videos, unless `factory` or
                device "cuda" is given.
            split: index only this split of the store.
            recall_queries: videos to measure recall with, >= 1; capped to the number of videos.
            wanted_recall: in (0, 1].
            exact_below: number of videos from which the default is approximate.
            seed: >= 0, for the training sample, the clustering and the recall queries. The same rows, seed
                and number of threads give the same index.
            device: "auto" (a GPU when FAISS sees one), "cpu" or "cuda".
            report: gets progress and notes.

        Raises:
            UsageError: an option is out of range or does not go with another, or FAISS cannot make `factory`.
            NotFoundError: no such split.
            SchemaError: invalid rows or ids.
            DataError: no videos, or one holds NaN or Inf, or all are all zeros (cosine).
            UnavailableError: no GPU for "cuda", or not enough memory.
        """
        selection = select(as_store(rows, ids, codec), split, metric)
        if original is not None:  # Refuses a wrong one before the long work.
            original = aligned(original, selection.ids(), selection.store.dim, metric, "original")
        engine, facts = build(
            selection,
            factory=factory,
            on_codes=on_codes,
            recall_queries=whole_number(recall_queries, "recall_queries", least=1),
            wanted_recall=wanted_recall,
            exact_below=whole_number(exact_below, "exact_below"),
            seed=whole_number(seed, "seed"),
            device=device,
            report=report,
        )
        index = cls(engine, selection.ids(), facts)
        recall = facts.recall_at_10 if isinstance(selection.store.codec, Float32) else None
        if original is not None:
            recall = index.recall(original, queries=recall_queries, seed=seed, report=report)
        index.facts = dataclasses.replace(facts, recall_at_10_float32=recall)
        return index

    @classmethod
    def open(cls, folder: str | Path, verify: Verify = True, store: Store | None = None) -> Self:
        """Open a committed index; its arrays stay on disk and are mapped into memory.

        Args:
            folder: what `save` or `compress index` wrote.
            verify: compare every file with its sha256; False checks sizes only; `HashedFiles` skips files
                that it has seen.
            store: when given, the index must have been built from exactly this store.

        Raises:
            NotFoundError: no index there.
            CorruptArtifactError: a file has changed, or the parts do not belong together.
            DataError: built from another store, or by a newer version of this project.
        """
        engine, ids, facts = load(as_path(folder, "an index"), verify)
        if store is not None and getattr(store, "sha256", None) != facts.store_sha256:
            raise DataError(
                "was built from another version of this store",
                where=folder,
                hint="run `compress index` again",
            )
        return cls(engine, ids, facts)

    def save(self, folder: str | Path) -> int:
        """Commit the index to `folder`, replacing an older one in one step; its bytes on the disk.

        Raises:
            UsageError: the folder holds something else.
            StorageError, LockedError: the folder cannot be written.
        """
        manifest = save(as_path(folder, "folder"), self._engine, self.id_bytes, self.facts)
        return sum(file.bytes for file in manifest.files.values())

    def __len__(self) -> int:
        return self.facts.num_vectors

    def __repr__(self) -> str:
        kind = f"{self.facts.codec} codes" if self.facts.codec else self.facts.kind
        recall = self.facts.recall_at_10_float32
        lost = "not measured" if recall is None else f"{recall:.4f}"
        return (
            f"<Index of {len(self):,} videos, {self.dim} dimensions: {kind}, {self.facts.metric}, "
            f"recall@10 {self.facts.recall_at_10:.4f} of the stored rows, {lost} of float32>"
        )

    @property
    def dim(self) -> int:
        """Size of an embedding."""
        return self.facts.dim

    @property
    def bytes_per_video(self) -> int:
        """Bytes that the index holds per video, without the id and what all videos share."""
        codes = isinstance(self._engine, CodesIndex)
        return int(self._engine.bytes_per_video) if codes else bytes_per_video(self._engine)

    @property
    def ids(self) -> list[str]:
        """Ids of all videos."""
        return [name.decode(errors="backslashreplace") for name in self.id_bytes.tolist()]

    def video_id(self, row: int) -> str:
        """Id of the video at a row that is in this index.

        Raises:
            UsageError: no whole number. OutOfRangeError: the row is not in this index.
        """
        place = whole_number(row, "row") - self.facts.first_row
        if not 0 <= place < len(self):
            raise OutOfRangeError(f"row {row} is not in this index of {len(self):,} videos")
        return str(self.id_bytes[place].decode(errors="backslashreplace"))

    def recall(
        self,
        original: Any,
        *,
        rerank: Any = None,
        depth: int = DEPTH,
        queries: int = 1000,
        seed: int = 0,
        report: Reporter = silent,
    ) -> float:
        """Recall@10 against an exact search of the float32 embeddings, in [0, 1].

        The embedding of a video asks, and does not find the video; ties with the tenth count as found.

        Args:
            original: the embeddings that count as the truth: a store that has all videos of the index, or
                float (n, dim) in its order.
            rerank, depth: as for `search`.
            queries: how many videos ask, >= 1; capped to the number of videos.
            seed: of their choice, >= 0.
            report: gets progress.

        Raises:
            SchemaError: of another embedding size or number of rows.
            NotFoundError: the store lacks videos of the index.

        Example:
            >>> import compress, numpy as np
            >>> Z = np.random.default_rng(0).standard_normal((100, 16), dtype=np.float32)
            >>> codec = compress.Codec.fit("int8", Z)
            >>> compress.Index.build(codec.encode(Z), codec=codec).recall(Z) > 0.9
            True
        """
        truth = self._aligned(original, "original")
        larger = None if rerank is None else self._aligned(rerank, "rerank")

        def found(asked: np.ndarray, k: int, own: np.ndarray) -> np.ndarray:
            first = self.facts.first_row
            hits = self.search(asked, k, exclude=own + first, rerank=larger, depth=depth)
            return hits.rows - first

        return recall_against(truth, found, whole_number(queries, "queries", least=1), seed, report)

    def _aligned(self, rows: Any, what: str) -> Selection:
        return aligned(rows, self.id_bytes, self.dim, self.facts.metric, what)

    def search(
        self, queries: Any, k: int = 10, *, exclude: Any = None, rerank: Any = None, depth: int = DEPTH
    ) -> Hits:
        """The k most similar videos of each query, best first.

        Args:
            queries: one vector (dim,) or several (q, dim), as an array, tensor or list.
            k: >= 1; capped to the number of videos.
            exclude: int (q,) or one number: rows that must not be found, usually each query's own.
            rerank: larger embeddings of the same videos, as a store or float (n, dim) in the order of the
                index. The `depth` best are found by the index, and ranked and scored by these.
            depth: candidates to re-rank, >= 1; at least k are.

        Returns:
            `scores`, `rows` and `ids`, each (q, k).

        Raises:
            SchemaError: not vectors of `dim` dimensions.
            RecordError: a vector holds NaN or Inf, or is all zeros (cosine).
            UsageError: k < 1, or `exclude` is not one row for each query.
        """
        k = whole_number(k, "k", least=1)
        vectors = as_queries(queries, self.dim)
        vectors = comparable(vectors, self.facts.metric, numbered("query"))
        larger = None if rerank is None else self._aligned(rerank, "rerank")
        wanted = k if larger is None else max(k, whole_number(depth, "depth", least=1))
        if exclude is None:
            scores, rows = search_all(self._engine, self.facts.setting, vectors, min(wanted, len(self)))
        else:
            own = np.broadcast_to(_row_numbers(exclude, len(vectors)) - self.facts.first_row, len(vectors))
            left_out = bool(((own >= 0) & (own < len(self))).any())
            scores, rows = search_all(self._engine, self.facts.setting, vectors, min(wanted + 1, len(self)))
            places = others(rows, own, min(wanted, len(self) - left_out))
            scores, rows = (np.take_along_axis(found, places, axis=1) for found in (scores, rows))
        if larger is not None:
            scores, rows = rerank_by(larger, vectors, rows, k)
        return Hits(scores, rows + self.facts.first_row, self.video_id)


def _row_numbers(exclude: Any, queries: int) -> np.ndarray:
    try:
        found = np.asarray(plain_array(exclude))
    except ValueError:  # a ragged list
        found = np.array(None)
    if found.dtype.kind not in "iu" or found.shape not in ((), (1,), (queries,)):
        raise UsageError(
            f"exclude is {exclude!r:.60}, not one row number for each of {queries} queries",
            where="exclude",
            hint="pass whole numbers (q,): rows, not ids",
        )
    return found.astype(np.int64)


open_index = Index.open
