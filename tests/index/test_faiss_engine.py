"""The door to FAISS: who owns it, what it can do here, and its errors in our words."""

from __future__ import annotations

import ast
import builtins
import importlib.metadata
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from compress import faiss_engine
from compress.errors import DataError, UnavailableError, UsageError
from compress.index import open_index
from tests.index.building import build_index

ROOT = Path(__file__).parents[2]


@pytest.fixture
def fresh() -> Iterator[None]:
    """Let the test import FAISS as if for the first time."""
    faiss_engine.faiss.cache_clear()
    yield
    faiss_engine.faiss.cache_clear()


def test_no_other_file_imports_faiss():
    for path in [*ROOT.glob("compress/**/*.py"), *ROOT.glob("encoders/**/*.py"), *ROOT.glob("cli/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.split(".")[0] == "faiss" for name in names):
                assert path.name == "faiss_engine.py"


def test_importing_the_index_does_not_import_faiss():
    code = "import compress.index, sys; sys.exit('faiss' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_this_machine_has_one_owner():
    assert len(faiss_engine.owners()) == 1
    assert faiss_engine.owners()[0].startswith("faiss-")
    assert faiss_engine.owners() == sorted(set(importlib.metadata.packages_distributions()["faiss"]))


@pytest.mark.parametrize(
    ("claimed", "importable", "message"),
    [
        (
            ["faiss-cpu", "faiss-gpu"],
            True,
            "faiss-cpu and faiss-gpu are both installed.*pip uninstall --yes faiss-cpu",
        ),
        ([], False, "cannot be imported .no faiss here.; install it with: pip install faiss-gpu"),
        (
            ["faiss-gpu"],
            False,
            "cannot be imported .no faiss here.; repair it with: pip uninstall --yes faiss-gpu",
        ),
        (["faiss-gpu"], "empty", "only an empty folder"),
    ],
)
def test_a_broken_installation_says_how_to_mend_it(claimed, importable, message, fresh, monkeypatch):
    monkeypatch.setattr(faiss_engine, "owners", lambda: claimed)
    real_import = builtins.__import__

    def fake_import(name, *rest):
        if name != "faiss" or importable is True:
            return real_import(name, *rest)
        if importable == "empty":
            return SimpleNamespace()
        raise ImportError("no faiss here")

    monkeypatch.setattr(builtins, "__import__", fake_import)
    with pytest.raises(UnavailableError, match=message):
        faiss_engine.faiss()


def test_a_faiss_that_no_distribution_owns_is_used_when_it_works(fresh, monkeypatch):
    monkeypatch.setattr(faiss_engine, "owners", list)
    assert hasattr(faiss_engine.faiss(), "IndexFlatIP")


def test_a_build_without_gpu_support_counts_no_gpu(monkeypatch):
    monkeypatch.setattr(faiss_engine, "faiss", lambda: SimpleNamespace())
    assert faiss_engine.num_gpus() == 0


@pytest.mark.parametrize(
    ("wanted", "gpus", "used"),
    [("auto", 0, "cpu"), ("auto", 2, "cuda"), ("cpu", 2, "cpu"), ("cuda", 1, "cuda")],
)
def test_the_device_depends_on_the_number_of_gpus_alone(wanted, gpus, used, monkeypatch):
    monkeypatch.setattr(faiss_engine, "num_gpus", lambda: gpus)
    assert faiss_engine.choose_device(wanted) == used


def test_cuda_without_a_gpu_is_refused_before_anything_is_written(
    clustered, memory_store, tmp_path, monkeypatch
):
    monkeypatch.setattr(faiss_engine, "num_gpus", lambda: 0)
    with pytest.raises(UnavailableError, match=r"device cuda: FAISS .* sees no GPU; use device=.cpu."):
        build_index(memory_store(clustered(50, 4)), tmp_path / "index", device="cuda")
    assert not (tmp_path / "index").exists()


@pytest.mark.parametrize(
    ("factory", "moves"),
    [
        ("Flat", ["IndexFlat to gpu", "to cpu"]),
        ("IVF10,Flat", ["IndexIVFFlat to gpu", "to cpu"]),
        ("IVF10,PQ4x4fs,Refine(SQ8)", ["IndexFlatIP to gpu"]),
    ],
)
def test_a_gpu_does_what_it_can_and_the_saved_index_is_on_the_cpu(
    factory, moves, clustered, memory_store, tmp_path, monkeypatch
):
    """Moving is faked by the identity: this covers the order of the steps, not the work of a GPU."""
    seen = []
    monkeypatch.setattr(faiss_engine, "num_gpus", lambda: 1)
    monkeypatch.setattr(
        faiss_engine, "move_to_gpu", lambda index: (seen.append(f"{type(index).__name__} to gpu"), index)[1]
    )
    monkeypatch.setattr(faiss_engine, "move_to_cpu", lambda index: (seen.append("to cpu"), index)[1])
    store = memory_store(clustered(500, 8))
    summary = build_index(store, tmp_path / "index", factory=factory)
    assert (summary.device, seen) == ("cuda", moves)
    assert open_index(tmp_path / "index").search(store.vectors[7], 1)[0][0].row == 7


@pytest.mark.skipif(faiss_engine.num_gpus() == 0, reason="FAISS sees no GPU")
@pytest.mark.parametrize("factory", ["Flat", "IVF10,Flat", "IVF10,PQ4x4fs,Refine(SQ8)"])
def test_an_index_built_on_a_real_gpu_finds_what_one_from_the_cpu_finds(
    factory, clustered, memory_store, tmp_path
):
    store = memory_store(clustered(2000, 8))
    recalls = [
        build_index(store, tmp_path / device, factory=factory, device=device, wanted_recall=0.9).recall_at_10
        for device in ("cpu", "cuda")
    ]
    assert recalls[1] == pytest.approx(recalls[0], abs=0.03)


@pytest.mark.parametrize(
    ("raised", "error", "message"),
    [
        (
            RuntimeError("Error in int f(x) at /a/b.cpp:12: Error: 'x > 0' failed: too few"),
            UsageError,
            "too few",
        ),
        (
            RuntimeError("Error in int f(x) at /a/b.cpp:12: could not parse"),
            UsageError,
            r"did not work \(could not parse\)$",
        ),
        (AssertionError(), UsageError, "did not work$"),
        (MemoryError(), UnavailableError, "did not work: not enough memory"),
        (RuntimeError("std::bad_alloc"), UnavailableError, "bad_alloc"),
        (RuntimeError("CUDA error 2 out of memory"), UnavailableError, "out of memory"),
    ],
)
def test_what_faiss_raises_becomes_one_of_our_errors(raised, error, message):
    with pytest.raises(error, match=message), faiss_engine.translated(UsageError, "did not work"):
        raise raised


def test_reading_never_allocates_more_than_the_file_and_restores_the_limit(tmp_path):
    module = faiss_engine.faiss()
    before = module.get_deserialization_vector_byte_limit()
    index = module.IndexFlatIP(4)
    index.add(np.eye(4, dtype=np.float32))
    faiss_engine.write_index(index, tmp_path / "index.faiss")
    assert faiss_engine.read_index(tmp_path / "index.faiss").ntotal == 4
    (tmp_path / "index.faiss").write_bytes(b"IxFI")
    with pytest.raises(DataError, match=r"index\.faiss: FAISS cannot read this index"):
        faiss_engine.read_index(tmp_path / "index.faiss")
    assert module.get_deserialization_vector_byte_limit() == before


def test_a_file_that_claims_more_than_it_has_is_refused_before_memory_is_taken(tmp_path):
    module, path = faiss_engine.faiss(), tmp_path / "index.faiss"
    index = module.index_factory(4, "PQ2x4fs", module.METRIC_INNER_PRODUCT)
    index.pq.cp.min_points_per_centroid = 1
    index.train(np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32))
    faiss_engine.write_index(index, path)
    data = bytearray(path.read_bytes())
    centroids = module.vector_to_array(index.pq.centroids)
    at = data.index(centroids[:4].tobytes()) - 8  # their number is before them
    assert data[at : at + 8] == len(centroids).to_bytes(8, "little")
    data[at : at + 8] = (2**28).to_bytes(8, "little")
    path.write_bytes(data)
    with pytest.raises(DataError, match="deserialization_vector_byte_limit"):
        faiss_engine.read_index(path)


def test_a_full_disk_is_an_oserror_with_its_number(tmp_path):
    index = faiss_engine.faiss().IndexFlatIP(64)
    index.add(np.ones((4000, 64), np.float32))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            faiss_engine.write_index(index, tmp_path / "index.faiss")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


def test_batches_of_four_queries_use_matrix_products():
    faiss_engine.prefer_matrix_products(320)
    assert faiss_engine.faiss().cvar.distance_compute_blas_threshold == 4 * 320


def test_threads_are_set():
    faiss_engine.set_threads(2)
    assert faiss_engine.faiss().omp_get_max_threads() == 2
