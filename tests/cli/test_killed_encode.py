"""`compress encode`, killed at any of its commit steps, and then the same command again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from cli.main import run
from tests.artifacts.faulty import KILLED, run_under_fault

STORE = Path("embeddings/residual_cnn-24.h5")
STEPS = 20


def encode() -> None:
    with pytest.raises(SystemExit) as end:
        run(["encode", "--dim", "24", "--batch-size", "8", "--quiet"])
    assert end.value.code == 0


@pytest.mark.parametrize("step", range(1, STEPS + 1))
def test_a_killed_encode_ends_in_the_same_bytes(
    compress, inside: Path, monkeypatch: pytest.MonkeyPatch, step: int
):
    # Many small blocks, so that there are many steps to be killed at; one thread makes fork safe.
    monkeypatch.setattr("compress.encoding.filling.BLOCK_ROWS", 32)
    torch.set_num_threads(1)
    STORE.unlink()
    encode()
    wanted = STORE.read_bytes()
    STORE.unlink()

    assert run_under_fault(encode, f"kill@{step}") == KILLED
    assert not STORE.exists()
    encode()
    assert STORE.read_bytes() == wanted
    assert not [name for name in os.listdir("embeddings") if "partial" in name or ".tmp" in name]
