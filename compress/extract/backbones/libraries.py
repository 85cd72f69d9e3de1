"""Backbones of timm, torchvision and open_clip, by the names that these libraries give them.

Weights come from a file of the user's, or, only where the user says so, from the library's own download.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from compress.errors import DataError, UsageError
from compress.extract.backbones.backbone import Backbone, need
from compress.extract.backbones.torch_network import torch_backbone
from compress.extract.backbones.weights import put_weights, read_weights
from compress.extract.pictures import INTERPOLATIONS, Preprocessing

DOWNLOAD = "download"


def load_timm(name: str, weights: str, device: str) -> Backbone:
    """`timm:NAME`: the features before timm's classifier."""
    need("timm", "timm", f"timm:{name}")
    import timm
    from timm.data import resolve_data_config

    if not timm.is_model(name):
        raise UsageError(f"timm has no model {name!r}", hint=_near(name, timm.list_models()))
    network = timm.create_model(name, pretrained=weights == DOWNLOAD, num_classes=0)
    if weights != DOWNLOAD:
        classifier = network.pretrained_cfg.get("classifier") or ""
        put_weights(network, read_weights(Path(weights)), weights, f"{classifier}." if classifier else "")
    config = resolve_data_config({}, model=network)
    size = int(config["input_size"][-1])
    resize = max(size, int(size / config["crop_pct"]))
    seen = Preprocessing(
        size,
        resize,
        tuple(config["mean"]),
        tuple(config["std"]),
        interpolation_of(config["interpolation"], f"timm:{name}"),
    )
    return torch_backbone(f"timm:{name}", network, seen, device)


def load_torchvision(name: str, weights: str, device: str) -> Backbone:
    """`torchvision:NAME`: what goes into the network's last linear layer."""
    need("torchvision", "torchvision", f"torchvision:{name}")
    from torchvision import models

    names = models.list_models(module=models)
    if name not in names:
        raise UsageError(f"torchvision has no model {name!r}", hint=_near(name, names))
    published = models.get_model_weights(name).DEFAULT
    network = models.get_model(name, weights=published if weights == DOWNLOAD else None)
    if weights != DOWNLOAD:
        put_weights(network, read_weights(Path(weights)), weights)
    config = published.transforms()
    size, resize = int(config.crop_size[0]), int(config.resize_size[0])
    interpolation = interpolation_of(config.interpolation.value, f"torchvision:{name}")
    seen = Preprocessing(size, max(size, resize), tuple(config.mean), tuple(config.std), interpolation)
    return torch_backbone(f"torchvision:{name}", network, seen, device, _before_classifier(network, name))


def load_open_clip(name: str, weights: str, device: str) -> Backbone:
    """`open_clip:NAME` or `open_clip:NAME/PRETRAINED`: the embedding of the image tower."""
    need("open_clip", "open_clip_torch", f"open_clip:{name}")
    import open_clip

    architecture, _, tag = name.partition("/")
    if architecture not in open_clip.list_models():
        hint = _near(architecture, open_clip.list_models())
        raise UsageError(f"open_clip has no model {architecture!r}", hint=hint)
    if weights == DOWNLOAD and tag not in open_clip.list_pretrained_tags_by_model(architecture):
        tags = ", ".join(open_clip.list_pretrained_tags_by_model(architecture))
        raise UsageError(
            "say which weights", where=f"open_clip:{name}", hint=f"open_clip:{architecture}/TAG; {tags}"
        )
    pretrained = tag if weights == DOWNLOAD else None
    network = open_clip.create_model(architecture, pretrained=pretrained)
    if weights != DOWNLOAD:
        put_weights(network, read_weights(Path(weights)), weights)
    config = open_clip.get_model_preprocess_cfg(network)
    size = config["size"]
    size = int(size if isinstance(size, int) else size[0])
    seen = Preprocessing(
        size,
        size,
        tuple(config["mean"]),
        tuple(config["std"]),
        interpolation_of(config["interpolation"], f"open_clip:{name}"),
    )
    return torch_backbone(f"open_clip:{name}", network.visual, seen, device)


def _before_classifier(network: nn.Module, name: str) -> Any:
    linear = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    if not linear:
        raise UsageError("has no linear layer at its end", where=f"torchvision:{name}")
    caught: list[Tensor] = []
    linear[-1].register_forward_pre_hook(lambda _, inputs: caught.append(inputs[0]))

    def embed(pictures: Tensor) -> Tensor:
        caught.clear()
        network(pictures)
        if len(caught) != 1 or len(caught[0]) != len(pictures):
            raise DataError("does not classify by its last linear layer", where=f"torchvision:{name}")
        return torch.flatten(caught.pop(), 1)

    return embed


def interpolation_of(named: str, where: str) -> str:
    """The interpolation that a library names; "random" is for training, where open_clip tests with bicubic.

    Raises:
        UsageError: another one than `Preprocessing` has.
    """
    if named == "random":
        return "bicubic"
    if named not in INTERPOLATIONS:
        what = f"wants pictures resized by {named!r}; {' and '.join(INTERPOLATIONS)} are possible"
        hint = "export it as an ONNX file, and choose one of them in the TOML file beside it"
        raise UsageError(what, where=where, hint=hint)
    return named


def _near(name: str, names: list[str]) -> str:
    import difflib

    close = difflib.get_close_matches(name, names, n=3)
    return f"did you mean {' or '.join(close)}?" if close else ""
