"""`--dim` means what a run or store is, not what it is called."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from compress.artifacts.atomic import write_json
from compress.artifacts.folder import commit_folder
from compress.errors import CompressError, UsageError
from compress.jobs.names import find_run, find_run_and_prefix, find_store
from compress.workspace import Workspace
from tests.store.examples import DIM, write_store


def made(
    root: Path, name: str, encoder: str, dim: int | None, finished: bool = True, nested: tuple[int, ...] = ()
) -> None:
    """A run as `train` leaves it, without weights."""
    run = root / "runs" / name
    run.mkdir(parents=True)
    options = {} if dim is None else {"dim": dim}
    told = {"nested_dims": list(nested)} if nested else {}  # earlier versions said nothing
    write_json(run / "config.json", {"config": {"encoder": encoder, "encoder_options": options, **told}})
    if finished:
        model = {"encoder_options": {"dim": dim}, **told}
        facts = {"train_config": {"encoder": encoder}, "model_config": model}
        commit_folder(run / "model", "model", {"model.safetensors": b"w"}, facts)


def stored(root: Path, name: str, encoder: str, codec: str = "float32") -> None:
    """A store of DIM dimensions."""
    write_store(root / "embeddings" / f"{name}.h5", codec=codec, metadata={"encoder": encoder})


@pytest.mark.parametrize("finished", [True, False])
def test_a_run_with_a_name_of_its_own_is_found_by_its_size(tmp_path: Path, finished: bool):
    made(tmp_path, "mine", "residual_cnn", 320, finished)
    made(tmp_path, "other-320", "linear", 128, finished)
    assert find_run(Workspace(tmp_path), 320, None) == "mine"
    assert find_run(Workspace(tmp_path), 128, None) == "other-320"


def test_a_store_with_a_name_of_its_own_is_found_by_its_size(tmp_path: Path):
    stored(tmp_path, "mine-320", "linear")
    assert find_store(Workspace(tmp_path), DIM, None).name == "mine-320"
    with pytest.raises(CompressError, match="no store of embeddings with 320 dimensions"):
        find_store(Workspace(tmp_path), 320, None)


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ({"mine": "residual_cnn", "pca-320": "pca", "linear-320": "linear"}, "mine"),
        ({"mine": "lstm", "pca-320": "pca"}, "mine"),
        ({"mine": "residual_cnn", "lstm-320": "lstm"}, "mine"),
        ({"mine": "residual_cnn", "residual_cnn-320": "residual_cnn"}, "residual_cnn-320"),
        ({"residual_cnn-320": "pca", "mine": "residual_cnn"}, "mine"),
        ({"original": "identity", "mine": "residual_cnn"}, "mine"),
        ({"a": "residual_cnn", "b": "residual_cnn", "lstm-320": "lstm"}, None),
        ({"a": "linear", "b": "pca"}, None),
    ],
)
def test_of_several_runs_table_4s_encoder_is_meant_or_all_are_listed(tmp_path, runs, expected):
    for name, encoder in runs.items():
        made(tmp_path, name, encoder, 320)
    if expected is not None:
        assert find_run(Workspace(tmp_path), 320, None) == expected
        return
    with pytest.raises(UsageError, match=f"several fit: {', '.join(sorted(runs))}.*--name"):
        find_run(Workspace(tmp_path), 320, None)


def test_of_one_encoders_stores_the_one_in_float32_is_meant(tmp_path: Path):
    for name, codec in (("mine", "float32"), ("mine-int8", "int8"), ("mine-float16", "float16")):
        stored(tmp_path, name, "residual_cnn", codec)
    assert find_store(Workspace(tmp_path), DIM, None).name == "mine"


@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize(
    ("dim", "name", "expected"),
    [
        (320, None, ("mine", None)),  # the whole of the one before the prefix of the other
        (64, None, ("other", 64)),
        (None, "other", ("other", None)),
        (512, "other", ("other", None)),
        (64, "other", ("other", 64)),
        (100, "other", ("other", 100)),  # whether it was trained is asked of the model
        (100, "mine", ("mine", 100)),
    ],
)
def test_a_size_is_that_of_a_run_or_else_of_a_prefix(tmp_path: Path, dim, name, expected, finished: bool):
    made(tmp_path, "mine", "residual_cnn", 320, finished)
    made(tmp_path, "other", "linear", 512, finished, nested=(64, 128, 320))
    assert find_run_and_prefix(Workspace(tmp_path), dim, name) == expected


def test_several_runs_with_that_prefix_are_listed_and_none_is_told(tmp_path: Path):
    made(tmp_path, "a", "residual_cnn", 320, nested=(64,))
    made(tmp_path, "b", "linear", 512, nested=(32, 64))
    assert find_run_and_prefix(Workspace(tmp_path), 32, None) == ("b", 32)
    with pytest.raises(UsageError, match=r"several runs have prefixes of size 64: a, b.*--name"):
        find_run_and_prefix(Workspace(tmp_path), 64, None)
    with pytest.raises(CompressError, match="no trained encoder with 77 dimensions"):
        find_run_and_prefix(Workspace(tmp_path), 77, None)


@pytest.mark.parametrize(
    ("name", "dim"), [("mine-d64", 64), ("pca-320-d64-int8", 64), ("pca-64-int8", 64), ("pca-320-d64", 64)]
)
def test_a_store_that_cannot_be_read_is_of_the_size_in_its_name(tmp_path: Path, name: str, dim: int):
    (tmp_path / "embeddings").mkdir()
    (tmp_path / "embeddings" / f"{name}.h5").write_bytes(b"")
    assert find_store(Workspace(tmp_path), dim, None).name == name
    with pytest.raises(CompressError, match="with 320 dimensions"):
        find_store(Workspace(tmp_path), 320, None)


@pytest.mark.parametrize("damage", [b"", b"{", b'{"config": {}}', b'{"config": 7}', b"[]"])
def test_a_run_that_cannot_say_what_it_is_goes_by_its_name(tmp_path: Path, damage: bytes):
    run = tmp_path / "runs" / "pca-64"
    run.mkdir(parents=True)
    (run / "config.json").write_bytes(damage)
    assert find_run(Workspace(tmp_path), 64, None) == "pca-64"


def test_a_store_that_cannot_say_what_it_is_goes_by_its_name(tmp_path: Path):
    stored(tmp_path, "pca-64", "pca")
    path = tmp_path / "embeddings" / "pca-64.h5"
    path.write_bytes(path.read_bytes()[:5000])
    assert find_store(Workspace(tmp_path), 64, None).name == "pca-64"


def test_a_damaged_manifest_is_left_to_whoever_opens_the_run(tmp_path: Path):
    made(tmp_path, "pca-64", "pca", 64)
    manifest = tmp_path / "runs" / "pca-64" / "model" / "manifest.json"
    manifest.write_text(json.dumps({"schema_version": 1}))
    assert find_run(Workspace(tmp_path), 64, None) == "pca-64"


def test_looking_reads_no_embeddings_and_loads_no_torch(tmp_path: Path):
    made(tmp_path, "mine", "residual_cnn", DIM)
    stored(tmp_path, "mine", "residual_cnn")
    path = tmp_path / "embeddings" / "mine.h5"
    data = bytearray(path.read_bytes())
    data[data.index(b"vid")] ^= 1  # an open that hashes would refuse this
    path.write_bytes(data)
    code = (
        "import sys; from pathlib import Path; from compress.jobs.names import find_run, find_store; "
        "from compress.workspace import Workspace; w = Workspace(Path(sys.argv[1])); "
        f"print(find_run(w, {DIM}, None), find_store(w, {DIM}, None).name, 'torch' in sys.modules)"
    )
    words = [sys.executable, "-c", code, str(tmp_path)]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "mine mine False\n"
