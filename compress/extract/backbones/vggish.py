"""VGGish, the backbone of sound of YouTube-8M and AudioSet, with weights that the user has.

Source: Hershey et al., CNN Architectures for Large-Scale Audio Classification (2017); the names of the
weights are those of the torch port (github.com/harritaylor/torchvggish). What comes out is before AudioSet's
own PCA: the projection of this project takes its place.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from compress.artifacts.atomic import sha256_file
from compress.errors import SchemaError, UsageError
from compress.extract.backbones.backbone import AudioBackbone
from compress.extract.backbones.onnx import session
from compress.extract.backbones.weights import fingerprint, put_weights, read_weights
from compress.extract.sound import BANDS, PATCH_ROWS

_POOLED_AFTER = (0, 1, 3, 5)  # of the six convolutions


def load_audio(path: Path, device: str) -> AudioBackbone:
    """The backbone in an ONNX file, or VGGish with the weights of a .pth, .pt or .safetensors file.

    Raises:
        UsageError: another suffix.
        NotFoundError, DataError: no such file, or damaged.
        SchemaError: not VGGish's weights.
        UnavailableError: an ONNX file, and onnxruntime is not installed.
    """
    blank = np.zeros((1, PATCH_ROWS, BANDS), dtype=np.float32)
    if path.suffix == ".onnx":
        run = _onnx(path, device)
        return AudioBackbone(path.name, run(blank).shape[1], sha256_file(path), run)
    if path.suffix not in (".pth", ".pt", ".safetensors"):
        raise UsageError(
            "cannot be a backbone of sound", where=path, hint="use .onnx, .pth, .pt or .safetensors"
        )
    network = vggish(read_weights(path), str(path)).eval().to(device)

    @torch.inference_mode()
    def compute(patches: np.ndarray) -> np.ndarray:
        found: np.ndarray = network(torch.from_numpy(patches).to(device)[:, None]).cpu().numpy()
        return found

    return AudioBackbone(path.name, compute(blank).shape[1], fingerprint(network), compute)


class VGGish(nn.Module):
    """Six convolutions with four poolings, three linear layers; patches (B, 1, 96, 64) -> (B, dim).

    Args:
        channels: of the six convolutions; 64, 128, 256, 256, 512, 512 as published.
        sizes: of the three linear layers; 4096, 4096, 128 as published.
    """

    def __init__(self, channels: tuple[int, ...], sizes: tuple[int, ...]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for number, (before, after) in enumerate(zip((1, *channels[:-1]), channels, strict=True)):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU()]
            layers += [nn.MaxPool2d(2)] if number in _POOLED_AFTER else []
        self.features = nn.Sequential(*layers)
        flat = channels[-1] * (PATCH_ROWS // 16) * (BANDS // 16)
        linear: list[nn.Module] = []
        for before, after in zip((flat, *sizes[:-1]), sizes, strict=True):
            linear += [nn.Linear(before, after), nn.ReLU()]
        self.embeddings = nn.Sequential(*linear)

    def forward(self, patches: Tensor) -> Tensor:
        """float32 (B, 1, 96, 64) -> (B, dim), at least 0."""
        # The original, in TensorFlow, flattens time, band, channel.
        found: Tensor = self.embeddings(self.features(patches).permute(0, 2, 3, 1).flatten(1))
        return found


def vggish(weights: dict[str, Tensor], where: str) -> VGGish:
    """VGGish with these weights; its sizes follow from them."""
    weights = {name: tensor for name, tensor in weights.items() if not name.startswith("pproc.")}
    shapes = [
        (name.split(".")[0], tensor.shape)
        for name, tensor in weights.items()
        if name.endswith(".weight") and name.split(".")[0] in ("features", "embeddings")
    ]
    channels = tuple(int(shape[0]) for part, shape in shapes if part == "features")
    sizes = tuple(int(shape[0]) for part, shape in shapes if part == "embeddings")
    if (len(channels), len(sizes)) != (6, 3):
        raise SchemaError("holds no VGGish: six features.N.weight and three embeddings.N.weight", where=where)
    network = VGGish(channels, sizes)
    put_weights(network, weights, where)
    return network


def _onnx(path: Path, device: str) -> Callable[[np.ndarray], np.ndarray]:
    opened = session(path, None, device)

    def compute(patches: np.ndarray) -> np.ndarray:
        # Exports differ in whether they have an axis of channels; a model says which it takes.
        found = opened.run(patches[:, None] if opened.axes == 4 else patches)
        return found.reshape(len(patches), -1)

    return compute
