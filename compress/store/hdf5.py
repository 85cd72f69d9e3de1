"""The only import of h5py for stores, with its plugins off: no unknown filter may load a shared library."""

import os

# HDF5 reads this when it is loaded; `without_plugins` covers a process that had loaded it before.
os.environ.setdefault("HDF5_PLUGIN_PRELOAD", "::")

from collections.abc import Iterator
from contextlib import contextmanager

import h5py

__all__ = ["h5py", "without_plugins"]


@contextmanager
def without_plugins() -> Iterator[None]:
    """Take away the folders that HDF5 looks for plugins in, and give them back."""
    plugins = h5py.h5pl
    folders = [plugins.get(position) for position in range(plugins.size())]
    for _ in folders:
        plugins.remove(0)
    try:
        yield
    finally:
        for folder in folders:
            plugins.append(folder)
