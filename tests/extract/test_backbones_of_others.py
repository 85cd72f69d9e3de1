"""Backbones of others: ONNX files; networks of timm, torchvision and open_clip where they are installed."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest
import torch

from compress.errors import ConfigError, DataError, UnavailableError, UsageError
from compress.extract.backbones.choice import BackboneChoice
from compress.extract.backbones.libraries import interpolation_of
from compress.extract.backbones.onnx import load as load_onnx
from compress.extract.backbones.onnx import read_description
from compress.extract.backbones.vggish import load_audio
from compress.machine import installed

needs_onnx = pytest.mark.skipif(not installed("onnxruntime"), reason="onnxruntime is not installed")
# Made by the package onnx (opset 13, IR 8). GlobalAveragePool and Flatten: x (n, 3, 8, 8) -> y (n, 3).
ONNX = base64.b64decode(
    "CAgSADpjChkKAXgSAXAiEUdsb2JhbEF2ZXJhZ2VQb29sCg8KAXASAXkiB0ZsYXR0ZW4SAW1aHAoBeBIXChUIARIRCgMSAW4K"
    "AggDCgIICAoCCAhiFAoBeRIPCg0IARIJCgMSAW4KAggDQgQKABAN"
)
# ReduceMean over axis 1: x (n, 96, 64) -> y (n, 64).
ONNX_SOUND = base64.b64decode(
    "CAgSADplCjAKAXgSAXkiClJlZHVjZU1lYW4qCwoEYXhlc0ABoAEHKg8KCGtlZXBkaW1zGACgAQISAW1aGAoBeBITChEIARIN"
    "CgMSAW4KAghgCgIIQGIUCgF5Eg8KDQgBEgkKAxIBbgoCCEBCBAoAEA0="
)


DESCRIPTION = "size = 8\nresize = 9\nmean = [0.5, 0.5, 0.5]\nstd = [1, 1, 1]\n"


def test_the_description_of_an_onnx_file(tmp_path: Path):
    path = tmp_path / "m.toml"
    path.write_text(DESCRIPTION + 'layout = "NHWC"\noutput = "y"\n')

    found, output = read_description(path)

    assert (found.size, found.resize, found.std, found.layout, output) == (8, 9, (1.0, 1.0, 1.0), "NHWC", "y")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("size = 8", "resize is missing; keys: size, resize"),
        (DESCRIPTION + "crop = 3", "unknown key 'crop'"),
        (DESCRIPTION + "size = 8", "not a TOML file"),
        (DESCRIPTION.replace("9", "3"), "resize"),
        (DESCRIPTION.replace("[1, 1, 1]", "1"), "wrong kind"),
    ],
)
def test_a_wrong_description_is_refused(tmp_path: Path, text: str, what: str):
    (tmp_path / "m.toml").write_text(text)
    with pytest.raises(ConfigError, match=what):
        read_description(tmp_path / "m.toml")


@needs_onnx
def test_an_onnx_file_is_run(tmp_path: Path):
    (tmp_path / "m.onnx").write_bytes(ONNX)
    (tmp_path / "m.toml").write_text(DESCRIPTION)
    pictures = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), dtype=np.uint8)

    backbone, _ = BackboneChoice(str(tmp_path / "m.onnx"))()

    assert (backbone.dim, backbone.name) == (3, "m.onnx")
    wanted = (pictures / 255 - 0.5).mean((1, 2))
    np.testing.assert_allclose(backbone.features(pictures), wanted, atol=1e-3)


@needs_onnx
def test_an_onnx_file_of_sound_is_run(tmp_path: Path):
    (tmp_path / "s.onnx").write_bytes(ONNX_SOUND)
    patches = np.random.default_rng(0).normal(size=(40, 96, 64)).astype(np.float32)

    found = load_audio(tmp_path / "s.onnx", "cpu")

    assert found.dim == 64
    np.testing.assert_allclose(found.features(patches), patches.mean(1), atol=1e-3)


@needs_onnx
@pytest.mark.parametrize(
    ("model", "description", "error"),
    [
        (b"no model", DESCRIPTION, DataError),
        (ONNX, DESCRIPTION.replace("8", "7"), DataError),
        (ONNX, DESCRIPTION + 'layout = "NHWC"', DataError),
        (ONNX, DESCRIPTION + 'output = "z"', ConfigError),
    ],
    ids=["no model", "size", "layout", "output"],
)
def test_an_onnx_file_that_does_not_fit_is_refused(tmp_path: Path, model: bytes, description: str, error):
    (tmp_path / "m.onnx").write_bytes(model)
    (tmp_path / "m.toml").write_text(description)
    with pytest.raises(error) as raised:
        load_onnx(tmp_path / "m.onnx", "cpu")
    assert "\n" not in str(raised.value)


@needs_onnx
def test_a_gpu_that_onnxruntime_cannot_use_is_no_silent_cpu(tmp_path: Path):
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has CUDA")
    (tmp_path / "m.onnx").write_bytes(ONNX)
    (tmp_path / "m.toml").write_text(DESCRIPTION)

    with pytest.raises(UnavailableError, match=r"cannot use the GPU here.*device"):
        load_onnx(tmp_path / "m.onnx", "cuda")


@pytest.mark.parametrize(
    ("name", "dim"),
    [("timm:test_vit", 64), ("torchvision:squeezenet1_0", 0), ("torchvision:shufflenet_v2_x0_5", 1024)],
)
def test_a_network_of_a_library_takes_the_weights_of_a_file(tmp_path: Path, name: str, dim: int):
    library, _, model = name.partition(":")
    if library == "timm":
        own = pytest.importorskip("timm").create_model(model)
    else:
        own = pytest.importorskip("torchvision").models.get_model(model)
    torch.save(own.state_dict(), tmp_path / "w.pth")
    choice = BackboneChoice(name, weights=str(tmp_path / "w.pth"))
    if not dim:  # it has no linear layer
        with pytest.raises(UsageError, match="no linear layer"):
            choice()
        return

    backbone, _ = choice()

    assert backbone.dim == dim
    size = backbone.preprocessing.size
    pictures = np.random.default_rng(0).integers(0, 256, (2, size, size, 3), dtype=np.uint8)
    classifier = own.get_classifier() if library == "timm" else own.fc
    with torch.no_grad():
        wanted = own.eval()(torch.from_numpy(backbone.preprocessing(pictures)))
        found = classifier(torch.from_numpy(backbone.features(pictures).astype(np.float32)))
    np.testing.assert_allclose(found, wanted, atol=0.02)


def test_an_interpolation_that_is_not_there_is_refused_and_not_replaced():
    assert [interpolation_of(name, "x") for name in ("bilinear", "bicubic", "random")] == [
        *("bilinear", "bicubic", "bicubic")
    ]
    with pytest.raises(
        UsageError, match=r"timm:x: wants pictures resized by 'lanczos'; bilinear and bicubic"
    ):
        interpolation_of("lanczos", "timm:x")


def test_an_unknown_network_of_a_library_is_answered_with_near_names(tmp_path: Path):
    pytest.importorskip("timm")
    with pytest.raises(UsageError, match="timm has no model 'resnet5O'; did you mean"):
        BackboneChoice("timm:resnet5O", weights="download")()


def test_open_clip_takes_the_weights_of_a_file(tmp_path: Path):
    open_clip = pytest.importorskip("open_clip")
    own = open_clip.create_model("RN50", pretrained=None)
    torch.save(own.state_dict(), tmp_path / "w.pt")
    backbone, _ = BackboneChoice("open_clip:RN50", weights=str(tmp_path / "w.pt"))()
    pictures = np.random.default_rng(0).integers(0, 256, (1, 224, 224, 3), dtype=np.uint8)
    with torch.no_grad():
        wanted = own.eval().encode_image(torch.from_numpy(backbone.preprocessing(pictures)))
    np.testing.assert_allclose(backbone.features(pictures), wanted, atol=0.01)
    with pytest.raises(UsageError, match=r"say which weights.*openai"):
        BackboneChoice("open_clip:RN50", weights="download")()
