"""Groups of like videos: spherical k-means by FAISS on a sample, then the nearest centre of every video."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from compress import faiss_engine
from compress.errors import UnavailableError, UsageError
from compress.index.rows import Selection
from compress.progress import Note, Progress, Reporter, check_interrupt, silent

SAMPLE_PER_CENTRE = 256  # as FAISS: more change the centres little
_ROUNDS = 20
_AGAIN = "nothing was written; run the same command again"


@dataclass(frozen=True)
class Assigned:
    """A block of rows: number of the first, nearest centres int64 (b,), their cosines float32 (b,)."""

    first: int
    clusters: np.ndarray
    cosines: np.ndarray


def find_centres(rows: Selection, k: int, seed: int = 0, report: Reporter = silent) -> np.ndarray:
    """k centres of unit length, float32 (k, d), from up to 256 k rows.

    Args:
        rows: by the metric "cosine".
        k: in [1, rows].
        seed: of the sample and the first centres.
        report: gets a note about the sample.

    Raises:
        UsageError: more centres than rows.
        Interrupted: on request.
    """
    if k > len(rows):
        raise UsageError(f"{k:,} clusters of {len(rows):,} videos", where="--k", hint="give a smaller --k")
    sample = rows.sample(SAMPLE_PER_CENTRE * k, (seed, 0))
    if len(sample) < len(rows):
        report(Note(f"centres from a sample of {len(sample):,} videos; all {len(rows):,} are assigned"))
    engine = faiss_engine.faiss()
    clustering = engine.Clustering(rows.store.dim, k)
    clustering.spherical, clustering.niter, clustering.seed = True, _ROUNDS, seed
    clustering.min_points_per_centroid = 1
    vectors = rows.take(sample)
    with faiss_engine.translated(UnavailableError, "FAISS cannot find the centres"):
        faiss_engine.train(clustering, vectors, engine.IndexFlatIP(rows.store.dim), hint=_AGAIN)
    centres: np.ndarray = engine.vector_to_array(clustering.centroids).reshape(k, rows.store.dim)
    return centres


def nearest_centres(rows: Selection, centres: np.ndarray, report: Reporter = silent) -> Iterator[Assigned]:
    """The centre of the highest cosine of every row, a block at a time."""
    engine = faiss_engine.faiss()
    faiss_engine.prefer_matrix_products(rows.store.dim)
    for first, block in rows.blocks():
        check_interrupt(_AGAIN)
        cosines, found = engine.knn(block, centres, 1, metric=engine.METRIC_INNER_PRODUCT)
        yield Assigned(first, found[:, 0], cosines[:, 0])
        report(Progress("clusters", first + len(block), len(rows)))
