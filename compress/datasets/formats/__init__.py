"""The input formats, one file each. To add one, write its file and name it here.

A format of arrays is a class that gives the names, types and numbers of the arrays of one file
(`arrays.ArrayFile`), and the line `FORMAT = array_format(name, suffixes, TheClass)`; `npy.py` is an example.
A format of tables gives rows with columns (`rows.Rows`) and is a `row_format`. Which of them are features,
ids and labels, checks, counts, the cache and `compress data inspect` need no further code.
"""

from pathlib import Path

from compress.datasets.formats import arrow, hdf5, npy, npz, parquet, tensors, tfrecord
from compress.datasets.formats.format import Format

FORMATS = (
    *(tfrecord.FORMAT, npy.FORMAT, npz.FORMAT, hdf5.FORMAT, tensors.FORMAT),
    *(parquet.FORMAT, arrow.FORMAT),
)


def format_of(path: Path) -> Format:
    """The format by the suffix of the file name; TFRecord for unknown ones."""
    return next((each for each in FORMATS if path.suffix.lower() in each.suffixes), tfrecord.FORMAT)


def suffixes() -> tuple[str, ...]:
    """The suffixes of all formats, TFRecord's first."""
    return tuple(suffix for each in FORMATS for suffix in each.suffixes)
