"""`compress index` and `compress search` on codes: two bytes per video, and its group is still found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from compress.codecs import Codec
from compress.store.writer import open_writer
from tests.cli.test_search import NUM, embeddings


@pytest.fixture
def inside(tmp_path: Path, monkeypatch) -> Path:
    """A workspace with the stores `mine` and `mine-binary`."""
    (tmp_path / "compress.toml").write_text("")
    (tmp_path / "embeddings").mkdir()
    for name, codec in (("mine", "float32"), ("mine-binary", "binary")):
        writer = open_writer(
            tmp_path / "embeddings" / f"{name}.h5",
            ids=np.array([f"v{row:03d}" for row in range(NUM)], dtype="S"),
            labels=None,
            codec=Codec.fit(codec, embeddings()),
            splits={},
            metadata={},
        )
        with writer:
            writer.write(embeddings())
            writer.finish()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_codes_are_indexed_as_they_are_and_their_bytes_told(compress, inside: Path):
    ended = compress("index", "--name", "mine-binary")
    assert "binary codes, as stored" in ended.out
    assert "6 bytes per video, plus its id" in ended.out

    words = ("index", "--name", "mine-binary", "--metric", "ip", "--json")
    kept = compress(*words)
    assert kept.code == 2
    assert "an index by cosine, codes, of all videos, not by ip, codes, of all videos; replace it" in kept.err
    summary = compress(*words, "--replace").json["summary"]
    assert (summary["kind"], summary["codec"], summary["bytes_per_video"]) == ("codes", "binary", 2)
    assert summary["recall_at_10_stored"] == 1.0


@pytest.mark.parametrize("options", [[], ["--on-codes"], ["--decoded"]])
def test_the_group_of_a_video_is_found_by_its_id_and_by_a_vector(compress, inside: Path, options: list[str]):
    assert compress("index", "--name", "mine-binary", *options, "--quiet").code == 0
    np.save(inside / "query.npy", embeddings()[42])
    for words in (["v042"], ["--vector", "query.npy"]):
        answer = compress("search", *words, "--name", "mine-binary", "--k", 5, "--json").json
        assert {hit["video_id"][:3] for hit in answer["neighbours"]} == {"v04"}


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--name", "mine", "--on-codes"], "a Flat index compares the embeddings themselves"),
        (["--name", "mine-binary", "--on-codes", "--factory", "Flat"], "leave one of the two out"),
        (["--name", "mine-binary", "--on-codes", "--device", "cuda"], "leave one of the two out"),
    ],
)
def test_what_codes_cannot_do_is_one_line_and_a_hint(compress, inside: Path, words: list[str], hint: str):
    ended = compress("index", *words)
    assert ended.code == 2
    assert hint in ended.err
