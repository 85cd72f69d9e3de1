"""Near-duplicates are found by their features, at both levels, and in chains."""

from __future__ import annotations

import numpy as np

from compress.datasets.schema import FeatureSchema
from compress.datasets.table import FrameTable, VideoTable
from compress.jobs.near_duplicates import group_near_duplicates
from compress.labels import Labels

IDS = np.array([b"f", b"b", b"c", b"d", b"a", b"zero"])
UNIT = np.eye(8, dtype=np.float32)
# f and c are the same but for their length; d is near c, and only through it near f; b and a are alone.
FEATURES = np.stack(
    [UNIT[0], UNIT[1], 3 * UNIT[0] + 0.3 * UNIT[2], UNIT[0] + 0.2 * UNIT[2], UNIT[3], 0 * UNIT[0]]
)


def test_videos_that_are_nearly_the_same_are_a_group_with_the_smallest_id() -> None:
    schema = FeatureSchema("video", ("features",), (8,), 2, "id")
    table = VideoTable(IDS, FEATURES, Labels.empty(6, 2), schema)
    assert group_near_duplicates(table, 0.99) == {b"f": b"c", b"c": b"c", b"d": b"c"}
    assert group_near_duplicates(table, 0.9999) == {}


def test_frames_are_compared_by_their_mean() -> None:
    schema = FeatureSchema("frame", ("rgb",), (4,), 2, "id")
    frames = np.array(
        [[9, 0, 0, 0], [0, 9, 0, 0], [200, 200, 0, 0], [0, 0, 7, 0], [0, 0, 8, 0]], dtype=np.uint8
    )
    table = FrameTable(IDS[:4], frames, np.array([0, 2, 3, 4, 5]), Labels.empty(4, 2), schema)
    assert group_near_duplicates(table, 1 - 1e-6) == {b"b": b"b", b"f": b"b", b"c": b"c", b"d": b"c"}
