"""Searches that wait together are answered by one call, and one that fails spoils no other."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, Histogram

import compress
from compress.errors import CompressError
from compress.serve.scans import Scans


class Counted:
    """A collection whose first search waits until it is told to go on."""

    def __init__(self, videos):
        self._videos, self.sizes, self.go = videos, [], threading.Event()

    def search(self, vectors, k, **options):
        assert self.go.wait(10)
        self.sizes.append(len(vectors))
        return self._videos.search(vectors, k, **options)


@pytest.fixture
def counted(tmp_path):
    videos = compress.Collection.create(tmp_path / "videos", codec="float32")
    videos.add(np.eye(6), list("abcdef"))
    return Counted(videos)


@pytest.fixture
def scans(counted):
    made = Scans(counted, Histogram("queries", "of a call", registry=CollectorRegistry()))
    yield made
    counted.go.set()
    made.close()


def test_those_that_wait_are_answered_by_one_call(counted, scans):
    found = [scans.search(row[None], 1) for row in np.eye(6)]
    counted.go.set()

    assert [each.result(10)[0][0].video_id for each in found] == list("abcdef")
    assert len(counted.sizes) <= 2
    assert sum(counted.sizes) == 6


def test_one_that_fails_spoils_no_other(counted, scans):
    rows = np.eye(6)
    rows[2] = np.nan
    found = [scans.search(row[None], 1) for row in rows]
    counted.go.set()

    assert [found[n].result(10)[0][0].video_id for n in (0, 1, 3, 4, 5)] == list("abdef")
    with pytest.raises(CompressError):
        found[2].result(10)
