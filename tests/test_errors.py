"""An error names options of the command line there, and arguments of a call in Python."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import compress
from cli.errors import failure
from compress.errors import NO_MEMORY, UsageError, in_python, reason_and_exit_code, told_in_options


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        ("cut it anyway with --any-dim", "cut it anyway with any_dim=True"),
        ("use --device cpu, or install faiss-gpu", 'use device="cpu", or install faiss-gpu'),
        ("use --factory IVF8 or fewer lists, or Flat", 'use factory="IVF8" or fewer lists, or Flat'),
        ("train one with --nested 4, or", "train one with nested_dims=(4,), or"),
        ("lower --learning-rate, or --set precision=fp32", "lower --learning-rate, or precision=fp32"),
        ("`compress train --set head=moe` trains one", "`compress train --set head=moe` trains one"),
        ("name it with --name; --metrics are others", "name it with --name; --metrics are others"),
    ],
)
def test_options_become_arguments_outside_of_commands(options: str, arguments: str) -> None:
    assert in_python(options) == arguments
    error = UsageError("no", hint=options)
    assert str(error) == f"no; {arguments}"
    with told_in_options():
        assert str(error) == f"no; {options}"


def test_the_argument_that_a_refusal_names_works() -> None:
    features = np.random.default_rng(0).normal(size=(40, 8)).astype(np.float32)
    encoder = compress.Encoder.fit("pca", features, dim=4)
    with pytest.raises(UsageError, match="cut it anyway with any_dim=True"):
        encoder.encode(features, dim=3)
    assert encoder.encode(features, dim=3, any_dim=True).shape == (40, 3)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory"
        ),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("std::bad_alloc"),
    ],
)
def test_memory_that_ran_out_is_called_that(error: Exception) -> None:
    assert reason_and_exit_code(error) == (NO_MEMORY, 69)
    assert failure(error).line == f"error: {NO_MEMORY}"
    assert failure(error).exit_code == 69
    assert failure(RuntimeError("can allocate")).exit_code == 70


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_under_stderr_does_not_change_the_exit_code() -> None:
    words = [sys.executable, "-m", "cli", "search", "--row", "1", "--workspace", "/nowhere"]
    with open("/dev/full", "w") as full:
        ended = subprocess.run(words, stderr=full, stdout=subprocess.DEVNULL)
    assert ended.returncode == subprocess.run(words, capture_output=True).returncode
