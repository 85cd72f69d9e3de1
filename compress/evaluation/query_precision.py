"""Label precision@10 of each video that was searched for: what intervals of retrieval quality are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class QueryPrecision:
    """One figure a query; stores of the same videos, measured with the same seed, have the same queries.

    Args:
        videos: int64 (q,), ascending places in the order of the ids of all validation videos.
        values: float64 (q,) in [0, 1], the share of the 10 nearest that share a label with the query.
    """

    videos: np.ndarray
    values: np.ndarray

    def where(self, kept: np.ndarray) -> QueryPrecision:
        """The queries among some validation videos; `kept` is bool (N,) over all of them."""
        inside = kept[self.videos]
        return QueryPrecision(self.videos[inside], self.values[inside])
