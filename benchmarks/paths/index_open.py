"""Opening an index of 320 dimensions and asking it once: mapped against read."""

from __future__ import annotations

import numpy as np

from benchmarks.data import clustered
from benchmarks.paths.agreement import same
from benchmarks.paths.searching import DIM, K, build
from benchmarks.rivals import plain_faiss
from benchmarks.row import Contest, Row, Settings
from compress.artifacts.folder import read_folder
from compress.index import open_index


def prepare(settings: Settings) -> Contest:
    """The same file on both sides, without its checksums: the rival has none."""
    threshold = plain_faiss.default_threshold()
    base, asked = clustered(settings.size(50_000, 300_000), DIM, 0), clustered(1, DIM, 1)
    build(settings, base, "Flat")
    folder = settings.scratch / "index"
    path = read_folder(folder, "index").path("index.faiss")

    def ours() -> np.ndarray:
        return open_index(folder, verify=False).search(asked, K).rows

    def rival() -> np.ndarray:
        return plain_faiss.PlainFaiss(plain_faiss.read(path), threshold).search(asked, K)[1]

    checked = same("rows found by the first search", ours(), rival())
    size = f"index of {path.stat().st_size / 1e6:.0f} MB, in the page cache"
    return Contest(ours, rival, 1, checked, notes=(size, "both include a search of one query"))


ROWS = (
    Row(
        "index-open",
        "Search",
        "open_index(verify=False), mapped",
        "faiss.read_index",
        "openings",
        prepare,
    ),
)
