"""`compress pack`: one file without the classifier gives the embeddings of the run, bit for bit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import compress as door
from compress import Encoder
from compress.errors import CorruptArtifactError, NewerVersionError, UsageError
from compress.training import onnx_file, packed
from tests.door.videos import make_videos

X, Y = make_videos()
RUNS = {
    "linear-8": ("linear", {}),
    "nested-8": ("linear", {"nested_dims": [4]}),
    "binary-8": ("linear", {"quantize": "binary"}),
    "auto-8": ("autoencoder", {}),
    "pca-8": ("pca", None),
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A workspace with a run of each kind."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "compress.toml").touch()
    for name, (encoder, settings) in RUNS.items():
        few = {} if settings is None else {"epochs": 1, "settings": settings}
        Encoder.fit(encoder, X, Y, dim=8, folder=folder / "runs" / name, **few)
    return folder


@pytest.fixture
def pack(trained: Path, here: Path, compress):
    """`compress pack` of that workspace, in an empty folder."""
    return lambda *words: compress("pack", *words, "--workspace", trained)


@pytest.mark.parametrize("name", RUNS)
def test_a_packed_encoder_gives_the_same_embeddings_to_the_bit(trained, pack, name):
    assert pack(name, "e.safetensors").code == 0
    run, file = door.load(trained / "runs" / name), door.load("e.safetensors")

    np.testing.assert_array_equal(file.encode(X), run.encode(X))
    assert repr(file) == repr(run)
    assert (file.dims, file.num_classes) == (run.dims, run.num_classes)
    for dim in run.dims:
        np.testing.assert_array_equal(file.encode(X, dim=dim), run.encode(X, dim=dim))
    with pytest.raises(UsageError, match="head"):
        file.predict_proba(X)
    if name != "pca-8":
        with pytest.raises(UsageError, match="packed without its classifier"):
            file.save("run")


def test_a_shrunk_run_is_packed_in_its_few_bits(trained, compress, pack):
    small = trained / "runs" / "pca-8-w8"
    if not small.exists():
        assert compress("shrink", "--name", "pca-8", "--workspace", trained).code == 0
    for name in ("pca-8", "pca-8-w8"):
        assert pack(name, f"{name}.safetensors").code == 0
    np.testing.assert_array_equal(door.load("pca-8-w8.safetensors").encode(X), door.load(small).encode(X))


def test_the_file_has_no_classifier_and_its_card_says_what_it_is(trained, pack):
    done = pack("linear-8", "e.safetensors", "--data-license", "cc-by-4.0", "--json").json
    whole = sum(path.stat().st_size for path in (trained / "runs/linear-8/model").iterdir())
    card = Path("e.md").read_text()
    lines = card.splitlines()
    front = dict(line.split(": ", 1) for line in lines[1 : lines.index("---", 1)])

    assert done["bytes"] < whole
    assert json.loads(front["library_name"]) == "compress-video-embeddings"
    assert "Licence of the data: cc-by-4.0." in lines
    assert "Not measured" in card
    exec_lines = card.split("```python\n")[1].split("```")[0]
    assert 'compress.load("e.safetensors")' in exec_lines


@pytest.mark.parametrize("part", ["header", "first tensor", "end"])
def test_a_changed_bit_is_refused_in_one_line(trained, pack, part):
    assert pack("linear-8", "e.safetensors").code == 0
    data = bytearray(Path("e.safetensors").read_bytes())
    start = 8 + int.from_bytes(data[:8], "little")
    header = bytes(data[:start])
    data[{"header": header.index(b"train_videos"), "first tensor": start, "end": -1}[part]] ^= 1
    Path("e.safetensors").write_bytes(data)
    with pytest.raises(CorruptArtifactError, match=r"e\.safetensors: .*"):
        door.load("e.safetensors")


def test_every_bit_of_the_header_matters(trained, pack):
    assert pack("pca-8", "e.safetensors").code == 0
    data = Path("e.safetensors").read_bytes()
    wanted = door.load("e.safetensors").encode(X)
    rng = np.random.default_rng(0)
    start = 8 + int.from_bytes(data[:8], "little")
    for place in rng.choice(start, 60, replace=False).tolist():
        broken = bytearray(data)
        broken[place] ^= 1 << int(rng.integers(8))
        Path("b.safetensors").write_bytes(broken)
        try:
            found = door.load("b.safetensors").encode(X)
        except (CorruptArtifactError, NewerVersionError):
            continue
        np.testing.assert_array_equal(found, wanted)  # a space at the end of the header means nothing


def test_foreign_files_are_refused_in_one_line(trained, pack):
    from safetensors.numpy import save_file

    save_file({"x": np.zeros(3, np.float32)}, "other.safetensors")
    Path("text.safetensors").write_text("hello")
    Path("empty.safetensors").touch()
    for name in ("other", "text", "empty"):
        with pytest.raises(CorruptArtifactError):
            door.load(f"{name}.safetensors")


def test_a_newer_version_is_refused_by_name(pack, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(packed, "_VERSION", 2)
        assert pack("pca-8", "e.safetensors").code == 0
    with pytest.raises(NewerVersionError, match="version 2"):
        door.load("e.safetensors")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["linear-8", "there.safetensors"], 2, "is there already"),
        (["linear-8", "card.safetensors"], 2, "card.md: is there already"),
        (["linear-8", "e.pt"], 2, "end OUTPUT in .safetensors"),
        (["linear-9", "e.safetensors"], 66, "did you mean linear-8"),
        (["linear-8", "e.safetensors", "--onnx", "e.safetensors"], 2, "is the name of another output"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_changes_nothing(here, pack, words, code, says):
    for name in ("there.safetensors", "card.md"):
        Path(name).write_text("mine")
    ended = pack(*words)

    assert (ended.code, says in ended.err) == (code, True), ended.err
    assert sorted(path.name for path in here.iterdir()) == ["card.md", "there.safetensors"]
    assert Path("card.md").read_text() == "mine"


@pytest.mark.parametrize("name", ["nested-8"])
def test_onnx_computes_what_torch_does_for_any_batch(trained, pack, name):
    onnxruntime = pytest.importorskip("onnxruntime")
    done = pack(name, "e.safetensors", "--onnx", "e.onnx", "--json").json
    session = onnxruntime.InferenceSession("e.onnx", providers=["CPUExecutionProvider"])
    encoder = door.load("e.safetensors")

    assert done["difference"] <= 1e-5
    for size in (1, 3, 50):
        (found,) = session.run(["embedding"], {"features": X[:size].astype(np.float32)})
        wanted = encoder.encode(X[:size], precision="fp32")
        np.testing.assert_allclose(found, wanted, atol=1e-5 * np.abs(wanted).max())


@pytest.mark.slow
def test_an_onnx_file_that_computes_something_else_is_not_written(pack, monkeypatch):
    pytest.importorskip("onnxruntime")
    monkeypatch.setattr(onnx_file, "_difference", lambda model, session: 1e-3)
    ended = pack("pca-8", "e.safetensors", "--onnx", "e.onnx")
    assert (ended.code, "differs from torch by 1.0e-03" in ended.err) == (2, True)
    assert not Path("e.onnx").exists()
    assert not Path("e.safetensors").exists()
