"""Input features: shards, records, tables and batches. These are the public names."""

from compress.datasets.batches import Position as Position
from compress.datasets.batches import batches_per_epoch as batches_per_epoch
from compress.datasets.batches import bucketed_batches as bucketed_batches
from compress.datasets.batches import sequential_batches as sequential_batches
from compress.datasets.batches import shuffled_batches as shuffled_batches
from compress.datasets.catalogue import scan as scan
from compress.datasets.export import expand_frames as expand_frames
from compress.datasets.export import write_shards as write_shards
from compress.datasets.formats.framing import read_records as read_records
from compress.datasets.sample.writer import write_sample as write_sample
from compress.datasets.schema import AUDIOSET as AUDIOSET
from compress.datasets.schema import YT8M_2017_FRAME as YT8M_2017_FRAME
from compress.datasets.schema import YT8M_2017_VIDEO as YT8M_2017_VIDEO
from compress.datasets.schema import YT8M_2018_FRAME as YT8M_2018_FRAME
from compress.datasets.schema import YT8M_2018_VIDEO as YT8M_2018_VIDEO
from compress.datasets.schema import FeatureSchema as FeatureSchema
from compress.datasets.source import Source as Source
from compress.datasets.source import open_source as open_source
from compress.datasets.table import FrameTable as FrameTable
from compress.datasets.table import VideoTable as VideoTable
from compress.datasets.table import load_table as load_table
from compress.datasets.vocabulary import load_vocabulary as load_vocabulary
from compress.labels import Labels as Labels
