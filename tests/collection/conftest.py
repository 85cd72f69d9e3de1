"""Small collections, and a dictionary that must say the same."""

from __future__ import annotations

import numpy as np
import pytest

import compress

DIM = 12


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def videos(tmp_path):
    """An empty collection of float32 embeddings."""
    return compress.Collection.create(tmp_path / "videos", codec="float32")
