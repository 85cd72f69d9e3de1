"""Which videos were measured: the same for a store, for shards of features and for shards of frames."""

from __future__ import annotations

import hashlib

import numpy as np

from compress.datasets.labels import Labels


def videos_fingerprint(ids: np.ndarray, labels: Labels) -> str:
    """sha256 over ids and labels.

    Args:
        ids: (N,) S<w>, ascending; the width does not count.
        labels: of the N videos, in the same order.
    """
    width = max(1, int(np.char.str_len(ids).max(initial=0)))
    digest = hashlib.sha256()
    for part in (ids.astype(f"S{width}"), labels.indptr, labels.indices.astype(np.int32)):
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()
