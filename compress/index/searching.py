"""Any number of queries, in blocks, until each has all the neighbours that it asked for."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from compress.errors import CorruptArtifactError
from compress.index.exact import QUERIES_AT_ONCE
from compress.index.faiss_index import num_lists
from compress.index.tuning import NEIGHBOURS, Setting, search_once

_CANDIDATES_AT_ONCE = 2**23  # About 100 MB of candidates in FAISS.


def search_all(engine: Any, setting: Setting, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """(scores float32 (q, k), rows int64 (q, k)) of the k best rows of each query, best first; thread-safe.

    Args:
        engine: a FAISS index or a `CodesIndex`, of n videos.
        setting: with which its recall was measured.
        queries: comparable float32 (q, d).
        k: 1 to n.

    Raises:
        CorruptArtifactError: all lists together hold fewer than k videos.
    """
    setting = _for_neighbours(setting, k, _size(engine))
    step = max(1, min(QUERIES_AT_ONCE, _CANDIDATES_AT_ONCE // (k * max(1, setting.k_factor))))
    starts = range(0, len(queries), step)
    parts = [_complete(engine, queries[start : start + step], k, setting) for start in starts]
    if not parts:
        return np.empty((0, k), np.float32), np.empty((0, k), np.int64)
    scores, rows = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return scores, rows


def _size(engine: Any) -> int:
    return int(engine.ntotal) if hasattr(engine, "ntotal") else len(engine)


def _for_neighbours(setting: Setting, k: int, videos: int) -> Setting:
    if not setting.k_factor:
        return setting
    # Recall was measured with the candidates of 10 neighbours, so fewer neighbours get as many; more
    # candidates than videos would only cost memory.
    candidates = min(setting.k_factor * max(k, NEIGHBOURS + 1), videos)
    return dataclasses.replace(setting, k_factor=-(-candidates // k))


def _complete(engine: Any, queries: np.ndarray, k: int, setting: Setting) -> tuple[np.ndarray, np.ndarray]:
    """Search; where the visited lists hold fewer than k videos, visit twice as many, and so on."""
    scores, rows = search_once(engine, queries, k, setting)
    short = np.flatnonzero((rows < 0).any(axis=1))
    if len(short) == 0:
        return scores, rows
    lists = num_lists(engine)
    if setting.nprobe >= lists:
        raise CorruptArtifactError(f"the index returns fewer than {k} of its {_size(engine)} videos")
    wider = dataclasses.replace(setting, nprobe=min(2 * setting.nprobe, lists))
    scores[short], rows[short] = _complete(engine, queries[short], k, wider)
    return scores, rows
