"""Where features come from: shards, records, tables and batches. This page is the public part."""

from compress.datasets.batches import (
    Position,
    batches_per_epoch,
    bucketed_batches,
    sequential_batches,
    shuffled_batches,
)
from compress.datasets.catalogue import scan
from compress.datasets.export import expand_frames, write_shards
from compress.datasets.formats.framing import read_records
from compress.datasets.sample.writer import write_sample
from compress.datasets.schema import (
    AUDIOSET,
    YT8M_2017_FRAME,
    YT8M_2017_VIDEO,
    YT8M_2018_FRAME,
    YT8M_2018_VIDEO,
    FeatureSchema,
)
from compress.datasets.source import Source, open_source
from compress.datasets.table import FrameTable, VideoTable, load_table
from compress.datasets.vocabulary import load_vocabulary
from compress.labels import Labels

__all__ = [
    "AUDIOSET",
    "YT8M_2017_FRAME",
    "YT8M_2017_VIDEO",
    "YT8M_2018_FRAME",
    "YT8M_2018_VIDEO",
    "FeatureSchema",
    "FrameTable",
    "Labels",
    "Position",
    "Source",
    "VideoTable",
    "batches_per_epoch",
    "bucketed_batches",
    "expand_frames",
    "load_table",
    "load_vocabulary",
    "open_source",
    "read_records",
    "scan",
    "sequential_batches",
    "shuffled_batches",
    "write_sample",
    "write_shards",
]
