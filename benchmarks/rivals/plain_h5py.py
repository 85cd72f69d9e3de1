"""Embeddings in HDF5 as h5py's documentation shows it, and np.save."""

from __future__ import annotations

import os
from pathlib import Path

import h5py
import numpy as np


def write_row_by_row(path: Path, rows: np.ndarray) -> None:
    """A dataset that grows by one video at a time, chunked as h5py chooses."""
    with h5py.File(path, "w") as file:
        shape = (0, rows.shape[1])
        embeddings = file.create_dataset(
            "embeddings", shape, "f4", maxshape=(None, rows.shape[1]), chunks=True
        )
        for number, row in enumerate(rows):
            embeddings.resize(number + 1, axis=0)
            embeddings[number] = row


def write_chunked(path: Path, rows: np.ndarray, batch: int) -> None:
    """A dataset that grows by a batch at a time, chunked as h5py chooses."""
    with h5py.File(path, "w") as file:
        shape = (0, rows.shape[1])
        embeddings = file.create_dataset(
            "embeddings", shape, "f4", maxshape=(None, rows.shape[1]), chunks=True
        )
        for start in range(0, len(rows), batch):
            part = rows[start : start + batch]
            embeddings.resize(start + len(part), axis=0)
            embeddings[start : start + len(part)] = part


def read_rows(path: Path, wanted: np.ndarray) -> np.ndarray:
    """Some rows, one after another."""
    with h5py.File(path, "r") as file:
        embeddings = file["embeddings"]
        return np.stack([embeddings[row] for row in wanted.tolist()])


def read_all(path: Path) -> np.ndarray:
    """All rows at once."""
    with h5py.File(path, "r") as file:
        return np.asarray(file["embeddings"][:])


def save_npy(path: Path, rows: np.ndarray) -> None:
    """np.save, and on the disk when it returns."""
    with path.open("wb") as file:
        np.save(file, rows)
        file.flush()
        os.fsync(file.fileno())
