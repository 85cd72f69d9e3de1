"""Freed memory that is kept is not faulted in again."""

from __future__ import annotations

import subprocess
import sys

import pytest

COUNT_FAULTS = """
import ctypes, resource, sys
sys.path.insert(0, sys.argv[2])
from torch_settings import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
def allocate():
    ctypes.memset(ctypes.create_string_buffer(64 << 20), 1, 64 << 20)
allocate()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(4):
    allocate()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc only")
def test_large_blocks_are_faulted_in_once() -> None:
    from encoders import torch_settings  # its own process must not be changed: the parent only looks it up

    folder = str(torch_settings.__file__).rsplit("/", 1)[0]

    def faults(mode: str) -> int:
        command = [sys.executable, "-c", COUNT_FAULTS, mode, folder]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert faults("keep") < 100
    assert faults("default") > 1000  # with 4 kB pages: 65536
