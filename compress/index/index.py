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
from compress.errors import CorruptArtifactError, DataError, OutOfRangeError, UsageError
from compress.index.build import build
from compress.index.codes import CodesIndex
from compress.index.exact import QUERIES_AT_ONCE
from compress.index.faiss_index import EXACT_BELOW, bytes_per_video, num_lists
from compress.index.hits import Hits
from compress.index.rows import Store, as_queries, as_store, comparable, numbered, select
from compress.index.saved import IndexFacts, load, save
from compress.index.tuning import NEIGHBOURS, Setting, others, search_once
from compress.progress import Reporter, silent

_CANDIDATES_AT_ONCE = 2**23  # About 100 MB of candidates in FAISS.


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

        Recall@10 is measured against an exact search of the decoded vectors, for every kind of index. An
        approximate one keeps the cheapest search setting that reaches `wanted_recall`; when none does, it
        keeps the best one and reports a note. A video is not its own neighbour; ties with the tenth neighbour
        count as found. A video of zeros has no cosine: it counts as 0 similar to every query, and a note says
        how many there are (`facts.zero_vectors`).

        Args:
            rows: embeddings (n, dim) as an array, tensor or list; with `codec` its codes; or a store (see
                `compress.open_store`).
            ids: of an array's rows: text, bytes or whole numbers; None for the row numbers.
            codec: that made the codes, when `rows` are codes.
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
        return cls(engine, selection.ids(), facts)

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
        return (
            f"<Index of {len(self):,} videos, {self.dim} dimensions: {kind}, {self.facts.metric}, "
            f"recall@10 {self.facts.recall_at_10:.4f}>"
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

    def search(self, queries: Any, k: int = 10, *, exclude: Any = None) -> Hits:
        """The k most similar videos of each query, best first.

        Args:
            queries: one vector (dim,) or several (q, dim), as an array, tensor or list.
            k: >= 1; capped to the number of videos.
            exclude: int (q,) or one number: rows that must not be found, usually each query's own.

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
        if exclude is None:
            scores, rows = self._search(vectors, min(k, len(self)))
        else:
            own = np.broadcast_to(_row_numbers(exclude, len(vectors)) - self.facts.first_row, len(vectors))
            left_out = bool(((own >= 0) & (own < len(self))).any())
            scores, rows = self._search(vectors, min(k + 1, len(self)))
            places = others(rows, own, min(k, len(self) - left_out))
            scores, rows = (np.take_along_axis(found, places, axis=1) for found in (scores, rows))
        return Hits(scores, rows + self.facts.first_row, self.video_id)

    def _search(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """(scores float32 (q, k), rows int64 (q, k)) of comparable queries, k <= n; rows of the index."""
        setting = self._setting(k)
        step = max(1, min(QUERIES_AT_ONCE, _CANDIDATES_AT_ONCE // (k * max(1, setting.k_factor))))
        parts = [self._complete(queries[at : at + step], k, setting) for at in range(0, len(queries), step)]
        if not parts:
            return np.empty((0, k), np.float32), np.empty((0, k), np.int64)
        scores, rows = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        return scores, rows

    def _setting(self, k: int) -> Setting:
        if not self.facts.k_factor:
            return self.facts.setting
        # Recall was measured with the candidates of 10 neighbours, so fewer neighbours get as many; more
        # candidates than videos would only cost memory.
        candidates = min(self.facts.k_factor * max(k, NEIGHBOURS + 1), len(self))
        return dataclasses.replace(self.facts.setting, k_factor=-(-candidates // k))

    def _complete(self, queries: np.ndarray, k: int, setting: Setting) -> tuple[np.ndarray, np.ndarray]:
        """Search; where the visited lists hold fewer than k videos, visit twice as many, and so on."""
        scores, rows = search_once(self._engine, queries, k, setting)
        short = np.flatnonzero((rows < 0).any(axis=1))
        if len(short) == 0:
            return scores, rows
        lists = num_lists(self._engine)
        if setting.nprobe >= lists:
            raise CorruptArtifactError(f"the index returns fewer than {k} of its {len(self)} videos")
        wider = dataclasses.replace(setting, nprobe=min(2 * setting.nprobe, lists))
        scores[short], rows[short] = self._complete(queries[short], k, wider)
        return scores, rows


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
