"""Bring your own features: .npy, HDF5 and Parquet files as a source, and any source as TFRecord shards."""

from compress.datasets.arrays.export import write_shards
from compress.datasets.arrays.open import ArrayFile, open_array_source

__all__ = ["ArrayFile", "open_array_source", "write_shards"]
