"""The labels of a batch as lists of classes."""

from __future__ import annotations

import numpy as np

from compress.metrics import compiled


def label_lists(labels: np.ndarray) -> compiled.Labels:
    """Which classes each video of a bool (B, C) batch has, one video after the other."""
    code = compiled.library()
    if code is not None:
        return compiled.list_labels(code, labels)
    video_of_label, classes = np.divmod(np.flatnonzero(labels), labels.shape[1])
    return compiled.Labels(np.bincount(video_of_label, minlength=len(labels)), classes.astype(np.int32))
