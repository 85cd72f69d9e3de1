"""What the demo makes: the rows of Table 4 and the controls, small enough for two CPU cores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from compress.jobs.names import run_name, store_name

SAMPLE_VIDEOS = 5_000
SAMPLE_CLASSES = 100
SAMPLE_HEAD_EPOCHS = 15  # 4,000 videos are few: a head of 6 epochs is not done yet
FRAMES = (8, 16)
LARGEST_DIM = 640
# Frame-level training is the dearest part by video; beyond this it would take hours.
MOST_VIDEOS_WITH_FRAMES = 50_000

RESIDUAL_CNN = ("width=0.0625",)
LSTM = ("sizes=[256,640]", "learning_rate=0.002")
SMALLER = (
    "smaller than the paper's models, so that a CPU can train them in minutes: ResidualCNN with a 16th of "
    f"the channels, LSTM 256, 640 instead of 1280, 640, on {FRAMES[0]} to {FRAMES[1]} frames a video"
)
SAMPLE_NOTE = "Sample data: the videos are invented, so the figures only show that everything works."


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


def rows(request: Request, *, frames: bool) -> list[Row]:
    """The baseline first, then the controls, then the encoders of Table 4.

    Args:
        request: says on which data.
        frames: whether there are frames for the LSTM.
    """
    epochs = 12 if request.on_sample else 6
    # All but the last epoch without the convolutions, which cost a hundred times the rest.
    cnn = (*RESIDUAL_CNN, f"warm_epochs={epochs - 1}")
    sizes = (320, 512, *((640,) if frames else ()))
    return [
        Row("identity", None),
        Row("identity", None, codec="int8"),
        *(Row("pca", size) for size in sizes),
        *(Row("random_projection", size) for size in sizes),
        Row("linear", 320, epochs=epochs),
        *(Row("residual_cnn", size, epochs=epochs, settings=cnn, searched=True) for size in (320, 512)),
        *([Row("lstm", 640, epochs=5, settings=LSTM, searched=True)] if frames else []),
    ]


def head_epochs(request: Request) -> int | None:
    """Passes of every row's fresh head; None for the recipe's."""
    return SAMPLE_HEAD_EPOCHS if request.on_sample else None


def core_seconds(train_videos: int, num_classes: int, *, on_sample: bool, frames: bool) -> float:
    """CPU time of everything, roughly; measured on two cores of an AMD EPYC server.

    The convolutions and the LSTM cost by video; heads by video, class and number that they read.
    """
    by_video = 0.027 + (0.009 if frames else 0.0)
    by_class = 30e-6 * (SAMPLE_HEAD_EPOCHS / 6 if on_sample else 1.0)
    return 25.0 + train_videos * (by_video + by_class * num_classes)
