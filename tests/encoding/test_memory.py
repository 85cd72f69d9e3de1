"""Memory while encoding: ids, labels and one block of embeddings, however many videos there are."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from tests.encoding.examples import encoded, encoder_run, shards, videos

FEW, MANY, WIDE = 500, 4000, 256


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compress.encoding.filling.BLOCK_ROWS", 64)
    few = {"float32": 0, "float16": 0, "int8": 128}
    monkeypatch.setattr("compress.encoding.store.sample_rows", few.get)


@pytest.mark.parametrize("codec", ["float32", "float16", "int8"])
def test_eight_times_the_videos_need_ids_and_labels_more_but_no_embeddings(tmp_path: Path, codec: str):
    run = encoder_run(tmp_path / "run", options={"dim": WIDE})
    peaks = []
    for count in (FEW, MANY):
        splits = {"train": shards(tmp_path / str(count), "t", videos(count), (count // 4,) * 4)}
        encoded(tmp_path / str(count) / "warm", splits, run, codec=codec, batch_size=32)
        tracemalloc.start()
        encoded(tmp_path / str(count), splits, run, codec=codec, batch_size=32)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    embeddings = (MANY - FEW) * WIDE * {"float32": 4, "float16": 2, "int8": 1}[codec]
    assert peaks[1] - peaks[0] < (MANY - FEW) * 150, f"a video costs no more than id and labels: {peaks}"
    assert peaks[1] - peaks[0] < embeddings
