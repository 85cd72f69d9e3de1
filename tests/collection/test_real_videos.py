"""Four YouTube-8M videos are taken down: no file has a trace of them afterwards."""

from __future__ import annotations

import numpy as np
import pytest

import compress
from compress.datasets.source import open_source


@pytest.mark.parametrize("codec", [pytest.param("float32", marks=pytest.mark.slow), "int8"])
def test_videos_that_are_taken_down_leave_no_trace(shared_data, tmp_path, codec):
    source = open_source([str(shared_data / "yt8m-2018" / "train" / "validate000[0-2].tfrecord")])
    blocks = [
        (
            block.ids.tolist(),
            block.rows.copy(),
            np.split(block.classes.copy(), np.cumsum(block.num_labels)[:-1]),
        )
        for shard in source.shards
        for block in source.read_blocks(shard, 256)
    ]
    encoder = compress.Encoder.fit("pca", np.concatenate([rows for _, rows, _ in blocks]), dim=32)
    videos = compress.Collection.create(tmp_path / "c", encoder=encoder, codec=codec)
    for ids, rows, labels in blocks:
        links = [f"https://youtube.example/{name.decode()}" for name in ids]
        videos.add(rows, ids, labels=[each.tolist() for each in labels], metadata={"link": links})
    everything = videos.ids()
    gone = [everything[place] for place in (0, len(everything) // 3, len(everything) // 2, -1)]
    codes = {name: bytes(videos._state.codec.encode(videos.embeddings(name)).tobytes()) for name in gone}
    videos.delete(gone)
    stores = b"".join(path.read_bytes() for path in videos.folder.glob("*.h5"))
    assert all(codes[name] in stores for name in gone), "until it is compacted"
    videos.compact()
    assert len(videos) == len(everything) - 4
    for path in sorted(videos.folder.iterdir()):
        data = path.read_bytes()
        for name in gone:
            assert codes[name] not in data, (path, name)
            assert f"/{name}".encode() not in data, (path, name)
    again = compress.Collection.open(videos.folder)
    segment = again._state.segments[0]
    assert not {name.encode() for name in gone} & set(segment.ids.tolist())
    links = segment.table.column("link").to_pylist()
    assert not {f"https://youtube.example/{name}" for name in gone} & set(links)
    assert len(links) == len(again)
