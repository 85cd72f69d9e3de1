"""The part of the training videos that is not trained on: patience and the best epoch are chosen on it.

Nothing is chosen on the videos that are reported: a figure that was chosen is too good. Which videos are set
aside follows from their ids alone, so an encoder and every judge of its embeddings set aside the same ones.
That matters: an encoder has learned the labels of the videos that it was trained on, so a judge sees too
little overfitting there, and chooses settings that are bad for new videos (docs/experiments.md).
"""

from __future__ import annotations

import hashlib

import numpy as np

SHARE, SHARE_OF_FEW, FEW = 0.1, 0.2, 5000  # of fewer videos than FEW a larger share
LEAST, MOST = 50, 5000  # videos; fewer choose by chance, more only cost time
_FEWEST = 20  # of so few videos none can be spared


def set_aside(ids: np.ndarray, share: float | None = None) -> np.ndarray:
    """Which videos are set aside: bool (N,).

    The videos whose ids have the smallest hashes: `share` of all, but at least LEAST and at most MOST. Of few
    videos at most a fifth are set aside, of fewer than 20 none.

    Args:
        ids: bytes (N,).
        share: in [0, 1); 0 sets none aside, None what `usual_share` says.
    """
    chosen = np.zeros(len(ids), dtype=bool)
    if wanted := count_set_aside(len(ids), share):
        # An id's hash does not depend on the other videos: where some are added, most stay on their side.
        digests = (hashlib.blake2b(one, digest_size=8).digest() for one in ids.tolist())
        hashes = np.fromiter((int.from_bytes(digest) for digest in digests), np.uint64, len(ids))
        chosen[np.argsort(hashes, kind="stable")[:wanted]] = True
    return chosen


def usual_share(videos: int) -> float:
    """The share that encoders of preset `best` and judges set aside of so many videos.

    Of few videos a fifth: settings that are chosen on fewer than 500 videos are chosen by chance.
    """
    return SHARE_OF_FEW if videos < FEW else SHARE


def count_set_aside(videos: int, share: float | None = None) -> int:
    """How many of so many videos are set aside.

    Example:
        >>> [count_set_aside(videos) for videos in (19, 100, 500, 5000, 5_000_000)]
        [0, 20, 100, 500, 5000]
    """
    if share is None:
        share = usual_share(videos)
    if share == 0 or videos < _FEWEST:
        return 0
    return min(max(round(share * videos), LEAST), MOST, int(max(share, SHARE_OF_FEW) * videos))
