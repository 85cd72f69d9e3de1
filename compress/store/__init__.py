"""Embeddings on disk: one HDF5 file with checksums, written by our own code instead of by HDF5.

writer   open_writer: append blocks, continue after a crash, finish
reader   open_store: one file, or several as one

format   the layout of the file: the user block with its sha256, and the HDF5 file behind it
journal  the unfinished file, and which of its blocks are safely on the disk
audit    checks of the HDF5 structure before anything in it is used
superblock  the mark of a program that had the file open for writing, and the way back
mapping  one finished file, verified and mapped into memory; the rows of several read as one
"""

import os

# No unknown filter may load a shared library. HDF5 reads this when it is loaded, so it comes before h5py.
os.environ.setdefault("HDF5_PLUGIN_PRELOAD", "::")
