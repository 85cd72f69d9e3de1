"""The index folder: what has changed, does not belong together or is not ours is never searched."""

from __future__ import annotations

import io
import os
import random
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from compress import faiss_engine
from compress.artifacts import disk
from compress.artifacts.folder import commit_folder, read_folder
from compress.errors import CompressError, CorruptArtifactError, DataError, NotFoundError, StorageError
from compress.index import open_index
from tests.artifacts.races import when_checked
from tests.index.building import build_index

APPROXIMATE = "IVF16,PQ8x4fs,Refine(SQ8)"


@pytest.fixture(scope="module")
def store(clustered, memory_store):
    return memory_store(clustered(800, 16), sha256="a" * 64)


@pytest.fixture
def folder(store, tmp_path):
    build_index(store, tmp_path / "index", factory=APPROXIMATE, recall_queries=50)
    return tmp_path / "index"


def contents(folder: Path) -> tuple[dict[str, bytes], dict[str, object]]:
    manifest = read_folder(folder, "index")
    return {name: manifest.path(name).read_bytes() for name in manifest.files}, manifest.metadata


def saved(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def other_index(factory: str, dim: int = 16, n: int = 800, metric: str = "METRIC_INNER_PRODUCT") -> bytes:
    module = faiss_engine.faiss()
    index = module.index_factory(dim, factory, getattr(module, metric))
    rows = np.random.default_rng(0).standard_normal((n, dim), dtype=np.float32)
    index.train(rows)
    index.add(rows)
    return module.serialize_index(index).tobytes()


def test_sixty_flipped_bits_are_all_found(folder):
    rng = random.Random(0)
    for path in (
        sorted(folder.glob("*.faiss")) * 25
        + sorted(folder.glob("*.npy")) * 15
        + [folder / "manifest.json"] * 20
    ):
        whole = path.read_bytes()
        place = rng.randrange(len(whole))
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << rng.randrange(8)]) + whole[place + 1 :])
        with pytest.raises(DataError, match=str(folder)):
            open_index(folder)
        path.write_bytes(whole)
    open_index(folder)


def test_files_that_end_early_are_found_even_without_verifying(folder):
    for path in [*folder.glob("*.faiss"), *folder.glob("*.npy")]:
        whole = path.read_bytes()
        for length in (0, 1, len(whole) // 2, len(whole) - 1):
            path.write_bytes(whole[:length])
            with pytest.raises(CorruptArtifactError, match="bytes"):
                open_index(folder, verify=False)
        path.unlink()
        with pytest.raises(CorruptArtifactError, match="missing"):
            open_index(folder, verify=False)
        path.write_bytes(whole)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"index.faiss": lambda _: b"not an index"}, "of a type that compress does not support"),
        ({"index.faiss": lambda whole: whole[: len(whole) // 2]}, "FAISS cannot read this index"),
        ({"index.faiss": lambda _: other_index("Flat", dim=8)}, "number of dimensions, the manifest says 16"),
        ({"index.faiss": lambda _: other_index("Flat", n=799)}, "has 799 as its number of vectors"),
        ({"index.faiss": lambda _: other_index("Flat", metric="METRIC_L2")}, "holds IndexFlatL2"),
        (
            {"index.faiss": lambda _: other_index("HNSW8")},
            "of a type that compress does not support",
        ),
        ({"index.faiss": lambda _: other_index("SQ8", metric="METRIC_L2")}, "number of metric type"),
        ({"index.faiss": lambda _: other_index("L2norm,Flat")}, "of a type that compress does not support"),
        ({"ids.npy": lambda _: saved(np.array([b"a", b"b"]))}, "has 2 as its number of ids"),
        ({"ids.npy": lambda _: saved(np.zeros(800))}, "holds float64"),
        ({"ids.npy": lambda _: b"\x93NUMPY but not really"}, "is damaged or not an array"),
        ({"ids.npy": lambda _: np.array([object()] * 800, object).dumps()}, "is damaged or not an array"),
    ],
)
def test_parts_that_do_not_belong_together_are_refused_although_their_sums_are_right(change, message, folder):
    files, metadata = contents(folder)
    changed = {name: change.get(name, lambda same: same)(whole) for name, whole in files.items()}
    commit_folder(folder, "index", changed, metadata)
    with pytest.raises(DataError, match=message):
        open_index(folder)


@pytest.mark.parametrize("change", [{"metric": None}, {"surprise": 1}])
def test_a_manifest_that_lacks_or_adds_facts_is_refused(change, folder):
    files, metadata = contents(folder)
    wrong = {key: value for key, value in {**metadata, **change}.items() if value is not None}
    commit_folder(folder, "index", files, wrong)
    with pytest.raises(CorruptArtifactError, match=r"lacks or adds: .*run `compress index` again"):
        open_index(folder)


def test_a_header_that_claims_sixteen_gigabytes_is_refused_at_once(folder):
    files, metadata = contents(folder)
    claim = bytearray(other_index("Flat"))
    at = claim.index((800 * 16).to_bytes(8, "little"))
    claim[at : at + 8] = (2**32).to_bytes(8, "little")
    commit_folder(folder, "index", {**files, "index.faiss": bytes(claim)}, metadata)
    with pytest.raises(DataError, match="FAISS cannot read this index"):
        open_index(folder)


def test_an_index_of_an_older_store_is_refused(folder, store):
    assert len(open_index(folder, store=store)) == 800
    with pytest.raises(DataError, match="another version of this store; run `compress index` again"):
        open_index(folder, store=replace(store, sha256="b" * 64))


def test_a_folder_of_another_kind_and_no_folder_are_refused(tmp_path):
    commit_folder(tmp_path / "model", "model", {"weights.bin": b"1"}, {})
    with pytest.raises(CorruptArtifactError, match="kind 'model'"):
        open_index(tmp_path / "model")
    with pytest.raises(NotFoundError):
        open_index(tmp_path / "nowhere")


def is_whole(folder: Path, store) -> str:
    """Fail unless every video in the index finds itself under its own id; the kind of the index."""
    index = open_index(folder, store=store)
    rows = index.search(store.vectors, 1).rows
    assert np.array_equal(rows[:, 0], np.arange(len(store)))
    assert np.array_equal(index.id_bytes, store.id_bytes)
    return index.facts.kind


@pytest.mark.parametrize("fault", ["enospc", "eio"])
def test_a_refusing_disk_leaves_the_old_index_or_the_new_one(fault, store, tmp_path, monkeypatch):
    build_index(store, tmp_path / "old", factory="IVF4,Flat", wanted_recall=1.0)
    seen = []
    while len(seen) < 100:
        shutil.copytree(tmp_path / "old", tmp_path / "index", dirs_exist_ok=True)
        disk.reset_steps()
        with monkeypatch.context() as environment:
            environment.setenv(disk.FAULT_VARIABLE, f"{fault}@{len(seen) + 1}")
            try:
                build_index(store, tmp_path / "index", recall_queries=10)
            except StorageError:
                seen.append(is_whole(tmp_path / "index", store))
                assert not list((tmp_path / "index").glob("*tmp.*"))
                shutil.rmtree(tmp_path / "index")
                continue
        break
    assert is_whole(tmp_path / "index", store) == "Flat"
    assert seen[:5] == ["IVF4,Flat"] * 5
    assert seen == sorted(seen, reverse=True)  # Old up to one step, new from there on.


CHILD = """
import sys
from pathlib import Path
import numpy as np
from compress.codecs.float32 import Float32
from compress.index import Index

class Store:
    def __init__(self, folder):
        self.vectors, self.id_bytes = np.load(folder / "vectors.npy"), np.load(folder / "ids.npy")
        self.dim, self.sha256, self.splits = self.vectors.shape[1], "a" * 64, {}
        self.codec, self.codes = Float32(self.dim), self.vectors
    def __len__(self): return len(self.vectors)
    def decode(self, start, stop): return self.vectors[start:stop]
    def rows(self, indices): return self.vectors[indices]

Index.build(Store(Path(sys.argv[1])), recall_queries=10).save(Path(sys.argv[1]) / "index")
"""


def test_a_kill_at_any_step_leaves_the_old_index_or_the_new_one(store, tmp_path):
    np.save(tmp_path / "vectors.npy", store.vectors)
    np.save(tmp_path / "ids.npy", store.id_bytes)
    build_index(store, tmp_path / "old", factory="IVF4,Flat", wanted_recall=1.0)
    seen = []
    while len(seen) < 100:
        shutil.copytree(tmp_path / "old", tmp_path / "index")
        environment = {**os.environ, disk.FAULT_VARIABLE: f"kill@{len(seen) + 1}"}
        root = Path(__file__).parents[2]
        child = subprocess.run([sys.executable, "-c", CHILD, tmp_path], env=environment, cwd=root, timeout=60)
        kind = is_whole(tmp_path / "index", store)
        build_index(store, tmp_path / "index", factory="IVF4,Flat", recall_queries=10)
        assert not list((tmp_path / "index").glob("compress-tmp.*"))
        shutil.rmtree(tmp_path / "index")
        if child.returncode == 0:
            break
        assert child.returncode == -signal.SIGKILL
        seen.append(kind)
    assert kind == "Flat"
    assert seen[:5] == ["IVF4,Flat"] * 5
    assert seen == sorted(seen, reverse=True)


def test_no_error_of_faiss_or_numpy_escapes(folder):
    files, metadata = contents(folder)
    rng = random.Random(1)
    for _ in range(40):
        whole = bytearray(files["index.faiss"])
        whole[rng.randrange(200)] ^= 1 << rng.randrange(8)
        commit_folder(folder, "index", {**files, "index.faiss": bytes(whole)}, metadata)
        try:
            open_index(folder)
        except CompressError:
            continue


def test_an_index_that_is_replaced_while_it_is_opened_is_the_new_one(store, tmp_path, monkeypatch):
    build_index(store, tmp_path / "index", factory="Flat")
    checked = when_checked(
        monkeypatch,
        lambda: build_index(store, tmp_path / "index", factory="IVF4,Flat", wanted_recall=1.0),
    )
    assert open_index(tmp_path / "index", store=store).facts.kind == "IVF4,Flat"
    assert checked == ["index", "index"]


def test_an_index_that_is_deleted_while_it_is_opened_is_not_there(folder, monkeypatch):
    when_checked(monkeypatch, lambda: shutil.rmtree(folder))
    with pytest.raises(NotFoundError):
        open_index(folder)
