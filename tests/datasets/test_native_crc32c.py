"""CRC-32C in C, by the processor's instruction and without, against the package of that name."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
from crc32c import crc32c

from compress.datasets.formats import native_buffers

LIBRARY = native_buffers.load()
pytestmark = pytest.mark.skipif(LIBRARY is None, reason="the C code was not compiled")
DATA = np.random.default_rng(0).integers(0, 256, size=300_000, dtype=np.uint8)


def checksum(name: str, data: np.ndarray) -> int:
    function = getattr(LIBRARY, name)
    function.argtypes, function.restype = (ctypes.c_void_p, ctypes.c_size_t), ctypes.c_uint32
    return int(function(data.ctypes.data, len(data)))


@pytest.mark.parametrize("name", ["crc32c", "crc32c_portable"])
def test_the_check_value_of_the_crc_catalogue(name: str) -> None:
    assert checksum(name, np.frombuffer(b"123456789", dtype=np.uint8)) == 0xE3069283


@pytest.mark.parametrize("name", ["crc32c", "crc32c_portable"])
@pytest.mark.parametrize("start", [0, 1, 7])
def test_every_size_and_alignment_equals_the_package(name: str, start: int) -> None:
    for size in (*range(900), 1023, 3071, 3072, 3073, 3456, 9999, 290_000):
        part = DATA[start : start + size]
        assert checksum(name, part) == crc32c(part.tobytes()), size
