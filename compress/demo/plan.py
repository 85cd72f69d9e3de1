"""What the demo makes: the rows of Table 4 and the controls, small enough for two CPU cores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from compress.jobs.names import run_name, store_name
from compress.training.recipes import DEMO

SAMPLE_VIDEOS = 5_000
SAMPLE_CLASSES = 100
FRAMES = (8, 16)
LARGEST_DIM = 640
# Frame-level training is the dearest part by video; beyond this it would take hours.
MOST_VIDEOS_WITH_FRAMES = 50_000

SMALLER = (
    "smaller than the paper's models, so that a CPU can train them in minutes: ResidualCNN with a 16th of "
    f"the channels, LSTM 256, 640 instead of 1280, 640, on {FRAMES[0]} to {FRAMES[1]} frames a video"
)


@dataclass(frozen=True)
class Request:
    """What a person asked for.

    Args:
        folder: the workspace to make, or to go on with.
        train, validate: patterns of real video-level shards; none means sample data.
        vocabulary, num_classes: of the real shards, where they do not tell.
        seed: >= 0. threads: 0 for all. device: "auto", "cpu" or "cuda".
    """

    folder: Path
    train: Sequence[str]
    validate: Sequence[str]
    vocabulary: Path | None
    num_classes: int | None
    seed: int
    threads: int
    device: str

    @property
    def on_sample(self) -> bool:
        """Whether the videos are invented."""
        return not self.train


@dataclass(frozen=True)
class Row:
    """One line of the report.

    Args:
        encoder, dim, codec: what makes it.
        epochs: of the training; None for encoders that are computed.
        settings: as `compress train --set` takes them.
        searched: gets an index, too.
    """

    encoder: str
    dim: int | None
    codec: str = "float32"
    epochs: int | None = None
    settings: tuple[str, ...] = ()
    searched: bool = False

    @property
    def run(self) -> str:
        """Name of the training."""
        return run_name(self.encoder, self.dim, None)

    @property
    def store(self) -> str:
        """Name of the embeddings."""
        return store_name(self.run, self.codec)


@dataclass(frozen=True)
class Size:
    """How much there is to do.

    Args:
        train_videos, videos: for training, and in all.
        num_classes: C.
        frames: whether there are frames for the LSTM.
    """

    train_videos: int
    videos: int
    num_classes: int
    frames: bool

    @property
    def epochs(self) -> int:
        """Of a trained encoder: the recipe's 6, more where videos are so few that 6 would not be enough."""
        return min(max(6, 48_000 // self.train_videos), 12)

    @property
    def head_epochs(self) -> int:
        """Of every row's fresh head, as above."""
        return min(max(6, 60_000 // self.train_videos), 15)

    @property
    def core_seconds(self) -> float:
        """CPU time of everything, roughly; measured on two cores of an AMD EPYC server.

        The convolutions and the LSTM cost by video; heads by video, epoch, class and number that they read.
        """
        by_video = 0.025 + (0.009 if self.frames else 0.0)
        return 25.0 + self.train_videos * (by_video + 3e-6 * self.head_epochs * self.num_classes)

    @property
    def bytes(self) -> int:
        """Disk of everything: embeddings, frames and tables by video, heads by class; measured."""
        return 75_000 * self.videos + 180_000 * self.num_classes


def rows(size: Size) -> list[Row]:
    """The baseline first, then the controls, then the encoders of Table 4.

    Args:
        size: decides about epochs and the LSTM.
    """
    epochs = size.epochs
    # All but the last epoch without the convolutions, which cost a hundred times the rest.
    cnn = (*DEMO["residual_cnn"], f"warm_epochs={epochs - 1}")
    dims = (320, 512, *((640,) if size.frames else ()))
    return [
        Row("identity", None),
        Row("identity", None, codec="int8"),
        *(Row("pca", dim) for dim in dims),
        *(Row("random_projection", dim) for dim in dims),
        Row("linear", 320, epochs=epochs),
        *(Row("residual_cnn", dim, epochs=epochs, settings=cnn, searched=True) for dim in (320, 512)),
        *([Row("lstm", 640, epochs=5, settings=DEMO["lstm"], searched=True)] if size.frames else []),
    ]
