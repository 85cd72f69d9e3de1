"""Arrays as npy files of an artifact, written piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np


def npy_file(shape: tuple[int, ...], dtype: np.dtype, blocks: Iterable[np.ndarray]) -> Callable[[Path], None]:
    """Content for `commit_folder`: an array, given as consecutive blocks of its rows."""

    def write(path: Path) -> None:
        # Not by np.save, which hides that the disk is full, nor through a memory map, where a full disk is
        # SIGBUS instead of an error.
        with path.open("wb") as file:
            header = {"descr": dtype.str, "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            for block in blocks:
                file.write(np.ascontiguousarray(block, dtype=dtype).data)

    return write


def npy_array(array: np.ndarray) -> Callable[[Path], None]:
    """As `npy_file`, of an array in memory."""
    return npy_file(array.shape, array.dtype, [array])
