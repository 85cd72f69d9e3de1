"""The input formats, one file each. To add one, write its file and name it here.

A format of feature vectors is a class that opens one file and yields its rows (`vectors.VectorFile`), and the
line `FORMAT = vector_format(name, suffixes, TheClass)`; `parquet.py` is an example. Checks, counts, the cache
and `compress data inspect` work without further code.
"""

from pathlib import Path

from compress.datasets.formats import hdf5, npy, parquet, tfrecord
from compress.datasets.formats.format import Format

FORMATS = (tfrecord.FORMAT, npy.FORMAT, hdf5.FORMAT, parquet.FORMAT)


def format_of(path: Path) -> Format:
    """The format by the suffix of the file name; TFRecord for unknown ones."""
    return next((each for each in FORMATS if path.suffix.lower() in each.suffixes), tfrecord.FORMAT)


def suffixes() -> tuple[str, ...]:
    """The suffixes of all formats, TFRecord's first."""
    return tuple(suffix for each in FORMATS for suffix in each.suffixes)
