"""Small shards of invented videos, in which any part can be replaced by a defect."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest

from compress.datasets import features_pb2 as messages
from compress.datasets.formats.framing import frame
from compress.datasets.schema import FeatureSchema


class Build:
    """Serialised messages and shards. `None` leaves a feature out."""

    video_schema = FeatureSchema("video", ("mean_rgb", "mean_audio"), (6, 3), 10, "id")
    frame_schema = FeatureSchema("frame", ("rgb", "audio"), (6, 3), 10, "id")

    def video(
        self,
        video_id: bytes | None = b"abcd",
        labels: Sequence[int] | None = (1, 2),
        rgb: Sequence[float] | None = (0.5, -1, 2, 3, 4, 5),
        audio: Sequence[float] | None = (7, 8, -9),
        id_key: str = "id",
    ) -> bytes:
        """A tf.Example."""
        message = messages.Example()
        self._context(message.features.feature, video_id, labels, id_key)
        for name, values in (("mean_rgb", rgb), ("mean_audio", audio)):
            if values is not None:
                message.features.feature[name].float_list.value.extend(values)
        return message.SerializeToString(deterministic=True)

    def frames(
        self,
        video_id: bytes | None = b"abcd",
        labels: Sequence[int] | None = (1, 2),
        rgb: Sequence[bytes] | None = (b"abcdef", b"ghijkl"),
        audio: Sequence[bytes] | None = (b"ABC", b"DEF"),
        integers: dict[str, Sequence[int]] | None = None,
        floats: dict[str, Sequence[float]] | None = None,
    ) -> bytes:
        """A tf.SequenceExample; `integers` and `floats` are further context features."""
        message = messages.SequenceExample()
        context = message.context.feature
        self._context(context, video_id, labels, "id")
        for name, numbers in (integers or {}).items():
            context[name].int64_list.value.extend(numbers)
        for name, values in (floats or {}).items():
            context[name].float_list.value.extend(values)
        for name, steps in (("rgb", rgb), ("audio", audio)):
            if steps is not None:
                feature_list = message.feature_lists.feature_list[name]
                for step in steps:
                    feature_list.feature.add().bytes_list.value.append(step)
        return message.SerializeToString(deterministic=True)

    def videos(self, count: int, first: int = 0) -> list[bytes]:
        """`count` different video-level messages with ids v<number>, some without labels."""
        random = np.random.default_rng(first)
        return [
            self.video(
                b"v%d" % number,
                random.choice(10, size=number % 4, replace=False).tolist(),
                random.normal(size=6).tolist(),
                random.normal(size=3).tolist(),
            )
            for number in range(first, first + count)
        ]

    def frame_videos(self, count: int, first: int = 0) -> list[bytes]:
        """`count` different frame-level messages of 1 to 7 frames."""
        random = np.random.default_rng(first)
        made = []
        for number in range(first, first + count):
            length = int(random.integers(1, 8))
            rgb, audio = [random.bytes(6) for _ in range(length)], [random.bytes(3) for _ in range(length)]
            made.append(self.frames(b"f%d" % number, [number % 10], rgb, audio))
        return made

    def shard(self, path: Path, records: Iterable[bytes]) -> Path:
        """A shard file."""
        path.write_bytes(b"".join(map(frame, records)))
        return path

    def offsets(self, records: Sequence[bytes]) -> list[int]:
        """Where each record of such a shard starts, and where the last one ends."""
        return np.cumsum([0] + [len(frame(record)) for record in records]).tolist()

    @staticmethod
    def _context(features: object, video_id: bytes | None, labels: Sequence[int] | None, id_key: str) -> None:
        if video_id is not None:
            features[id_key].bytes_list.value.append(video_id)  # type: ignore[index]
        if labels is not None:
            features["labels"].int64_list.value.extend(labels)  # type: ignore[index]


@pytest.fixture(scope="session")
def build() -> Build:
    return Build()
