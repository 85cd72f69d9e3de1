"""What building an index ends with, of whatever kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from compress.index.tuning import Setting


@dataclass(frozen=True)
class Built:
    """An index that is not on the disk yet.

    Args:
        index: of FAISS, or a `CodesIndex`.
        kind: FAISS factory string, or "codes".
        setting: how to search it.
        recall: recall@10, in [0, 1], measured.
        bytes_per_video: what it holds of each video, but its id and what all of them share.
        device: where it was built, "cpu" or "cuda".
        codec: of the codes, by name; None for an index of FAISS.
    """

    index: Any
    kind: str
    setting: Setting
    recall: float
    bytes_per_video: int
    device: str
    codec: str | None = None
