"""From a store of codes to an index on the disk: what it is, what it holds, and what is refused."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from compress import faiss_engine
from compress.artifacts.folder import commit_folder, read_folder
from compress.codecs import Codec
from compress.errors import CorruptArtifactError, DataError, UsageError
from compress.index import Index, build, exact_neighbours, open_index
from compress.store.reader import Store, open_store
from compress.store.writer import open_writer
from tests.index.building import build_index

DIM = 24


def written(path: Path, embedding: np.ndarray, codec: str, like: np.ndarray | None = None) -> Store:
    ids = np.array([f"{path.stem}-{row}".encode() for row in range(len(embedding))])
    splits = {"train": (0, len(embedding) // 2), "validate": (len(embedding) // 2, len(embedding))}
    chosen = Codec.fit(codec, embedding if like is None else like)
    with open_writer(path, ids=ids, labels=None, codec=chosen, splits=splits, metadata={}) as writer:
        writer.write(embedding)
        writer.finish()
    return open_store(path)


@pytest.fixture(scope="module")
def embedding(clustered):
    return clustered(900, DIM)


@pytest.mark.parametrize("metric", ["cosine", "ip"])
@pytest.mark.parametrize("codec", ["float16", "int8", "int4", "binary", "pq6", "rq3", "rabitq2"])
def test_the_codes_of_a_store_are_its_index_and_find_what_exact_search_finds(
    codec, metric, embedding, tmp_path
):
    store = written(tmp_path / "a.h5", embedding, codec)
    summary = build_index(store, tmp_path / "a.index", metric=metric, recall_queries=100)
    assert (summary.kind, summary.codec, summary.recall_at_10) == ("codes", codec, 1.0)
    assert summary.bytes_per_video == store.bytes_per_video + (4 if metric == "cosine" else 0)
    index = open_index(tmp_path / "a.index", store=store)
    queries = embedding[:20] + np.float32(0.01)  # as numbers: nobody made codes of them
    hits = index.search(queries, 8)
    scores, rows = hits.scores, hits.rows
    wanted = exact_neighbours(queries, store, 8, metric)
    decoded = store.decode(0, 900).astype(np.float64)
    if metric == "cosine":
        queries = queries / np.linalg.norm(queries, axis=1, keepdims=True)
        decoded /= np.linalg.norm(decoded, axis=1, keepdims=True)
    np.testing.assert_allclose(scores, np.einsum("qd,qkd->qk", queries, decoded[rows]), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        scores, np.einsum("qd,qkd->qk", queries, decoded[wanted]), rtol=1e-4, atol=1e-5
    )


def test_the_bytes_on_the_disk_are_codes_lengths_ids_and_what_all_share(embedding, tmp_path):
    store = written(tmp_path / "a.h5", embedding, "binary")
    build_index(store, tmp_path / "a.index")
    files = read_folder(tmp_path / "a.index", "index").files
    arrays = {name: np.load(tmp_path / "a.index" / file.stored) for name, file in files.items()}
    assert {name: array.nbytes for name, array in arrays.items()} == {
        "codes.npy": 900 * DIM // 8,
        "lengths.npy": 900 * 4,
        "ids.npy": 900 * store.id_bytes.dtype.itemsize,
        **{f"codec-{name}.npy": DIM * 4 for name in ("high", "low", "threshold")},
    }
    assert np.array_equal(arrays["codes.npy"], np.asarray(store.codes))


def test_one_split_is_found_under_its_rows_of_the_store(embedding, tmp_path):
    store = written(tmp_path / "a.h5", embedding, "int8")
    build_index(store, tmp_path / "a.index", split="validate")
    index = open_index(tmp_path / "a.index", store=store)
    assert index.search(embedding[600], 1)[0][0].row == 600
    assert index.search(embedding[600], 1)[0][0].video_id == "a-600"
    assert index.search(embedding[600], 1, exclude=600)[0][0].row != 600


def test_several_files_are_one_index(embedding, tmp_path):
    written(tmp_path / "a.h5", embedding, "binary")
    written(tmp_path / "b.h5", -embedding[:300], "binary", like=embedding)
    both = open_store([tmp_path / "a.h5", tmp_path / "b.h5"])
    build_index(both, tmp_path / "both.index", recall_queries=50)
    found = open_index(tmp_path / "both.index", store=both).search(-embedding[:9], 1200).rows
    assert np.array_equal(np.sort(found, axis=1), np.tile(np.arange(1200), (9, 1)))


def test_float32_and_a_factory_and_decoded_mean_faiss(embedding, tmp_path):
    plain, coded = (
        written(tmp_path / "a.h5", embedding, "float32"),
        written(tmp_path / "b.h5", embedding, "int8"),
    )
    kinds = [
        build_index(store, tmp_path / "i", recall_queries=20, **options).kind
        for store, options in ((plain, {}), (coded, {"factory": "SQ8"}), (coded, {"on_codes": False}))
    ]
    assert kinds == ["Flat", "SQ8", "Flat"]


def test_very_many_videos_get_an_approximate_index_unless_codes_are_asked_for(
    embedding, tmp_path, monkeypatch
):
    monkeypatch.setattr(build, "CODES_BELOW", 900)
    store = written(tmp_path / "a.h5", embedding, "int8")
    assert build_index(store, tmp_path / "i", recall_queries=20, exact_below=900).kind.startswith("IVF")
    assert build_index(store, tmp_path / "i", recall_queries=20, on_codes=True).kind == "codes"


@pytest.mark.parametrize(
    ("codec", "options", "message"),
    [
        ("float32", {}, "no codes to search"),
        ("int8", {"factory": "Flat"}, "leave one of the two out"),
        ("int8", {"device": "cuda"}, "leave one of the two out"),
    ],
)
def test_options_that_do_not_go_together_are_refused(codec, options, message, embedding, tmp_path):
    store = written(tmp_path / "a.h5", embedding, codec)
    with pytest.raises(UsageError, match=message):
        build_index(store, tmp_path / "i", on_codes=True, **options)
    assert not (tmp_path / "i").exists()


def test_who_asks_for_a_gpu_gets_an_index_that_one_can_make(embedding, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(faiss_engine, "choose_device", lambda device: asked.append(device) or "cpu")
    store = written(tmp_path / "a.h5", embedding, "int8")
    assert build_index(store, tmp_path / "i", recall_queries=20, device="cuda").kind == "Flat"
    assert asked == ["cuda"]


def test_a_row_that_decodes_to_zeros_is_0_similar_to_everything(tmp_path):
    store = written(tmp_path / "a.h5", np.float32([[1, 1], [0, 0], [-1, 1]]), "float16")
    assert build_index(store, tmp_path / "i").zero_vectors == 1
    for index in (open_index(tmp_path / "i"), Index.build(store, on_codes=False)):
        hits = index.search(np.float32([1, 0]), 3)[0]
        assert [hit.row for hit in hits] == [0, 1, 2]
        assert [hit.score for hit in hits] == pytest.approx([0.5**0.5, 0, -(0.5**0.5)])
    assert build_index(store, tmp_path / "ip", metric="ip").zero_vectors == 0


def test_a_single_video_makes_an_index(tmp_path):
    store = written(tmp_path / "a.h5", np.ones((1, 4), np.float32), "int8")
    assert build_index(store, tmp_path / "i").recall_at_10 == 1.0
    assert open_index(tmp_path / "i").search(np.ones(4), 3)[0][0].score == pytest.approx(1)


def saved(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("codes.npy", lambda a: saved(a[:-1]), "int8 .899, 24., not int8 .900, 24."),
        ("codes.npy", lambda a: saved(a.view(np.uint8)), "uint8"),
        ("codes.npy", lambda a: b"nothing", "is damaged or not an array"),
        ("codes.npy", lambda a: None, "has no codes.npy"),
        ("lengths.npy", lambda a: saved(a.astype("f8")), "float64"),
        ("lengths.npy", lambda a: saved(a * np.nan), "norms that are not positive numbers"),
        ("lengths.npy", lambda a: saved(a * 0), "norms that are not positive numbers"),
        ("lengths.npy", lambda a: None, "has no lengths.npy"),
        ("codec-minimum.npy", lambda a: saved(a + 100), "above its maximum"),
        ("codec-minimum.npy", lambda a: None, "it needs"),
        ("ids.npy", lambda a: saved(a[1:]), "ids"),
    ],
)
def test_parts_that_do_not_belong_together_are_refused(name, change, message, embedding, tmp_path):
    store, folder = written(tmp_path / "a.h5", embedding, "int8"), tmp_path / "i"
    build_index(store, folder, recall_queries=10)
    manifest = read_folder(folder, "index")
    files = {known: manifest.path(known).read_bytes() for known in manifest.files}
    changed = change(np.load(manifest.path(name)))
    files = {known: content for known, content in files.items() if known != name}
    if changed is not None:
        files[name] = changed
    commit_folder(folder, "index", files, manifest.metadata)
    with pytest.raises((CorruptArtifactError, DataError), match=message):
        open_index(folder)


def test_a_flipped_bit_is_found(embedding, tmp_path):
    build_index(written(tmp_path / "a.h5", embedding, "pq6"), tmp_path / "i", recall_queries=10)
    for path in sorted((tmp_path / "i").glob("*.npy")):
        whole = bytearray(path.read_bytes())
        whole[-3] ^= 4
        path.write_bytes(whole)
        with pytest.raises(CorruptArtifactError):
            open_index(tmp_path / "i")
        whole[-3] ^= 4
        path.write_bytes(whole)
    open_index(tmp_path / "i")
