"""The input formats, one file each. To add one, write its file and name it here.

A format of feature vectors is a class that opens one file and gives its rows (`vectors.VectorFile`), made
into a format by `FORMAT = vector_format(name, suffixes, the class)`; `parquet.py` is an example. Rows are
checked, counted, cached and shown by `compress data inspect` without further code.
"""

from pathlib import Path

from compress.datasets.formats import hdf5, npy, parquet, tfrecord
from compress.datasets.formats.format import Format

FORMATS = (tfrecord.FORMAT, npy.FORMAT, hdf5.FORMAT, parquet.FORMAT)


def format_of(path: Path) -> Format:
    """The format that the file name ends for; any other name is read as TFRecord."""
    return next((each for each in FORMATS if path.suffix.lower() in each.suffixes), tfrecord.FORMAT)


def suffixes() -> tuple[str, ...]:
    """The ends of file names of all formats, TFRecord's first."""
    return tuple(suffix for each in FORMATS for suffix in each.suffixes)
