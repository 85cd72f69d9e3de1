"""One encoder per modality, fused; in training each modality also has a head of its own.

Source: Garg 2018 (see residual_cnn.py) section 4.1, Fig. 5, and its code, which sums the modalities' features
and weighs their losses 1 : 1 : 6; Table 2: "Multi-Modal, DBoF, DBoF" and "(LSTM 2,1024), (LSTM 2,1024)".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

from encoders.encoder import Encoder, EncoderConfig, TrainingOutput
from encoders.layers.dropout import Dropout
from encoders.layers.fully_connected import output_projection
from encoders.options import config_from, fraction, not_negative, positive, projected
from encoders.registry import build_encoder, config_class, encoder_level, encoder_title, register


@dataclass(frozen=True)
class MultiModalConfig(EncoderConfig):
    """Options of MultiModalEncoder.

    Args:
        dim: embedding size; 0 is the size that the fusion gives; another adds a linear projection.
        modalities: how many dimensions of a frame belong to each modality, in order; their sum is input_dim.
        encoders: for each modality, the name of a frame-level encoder without side outputs.
        encoder_options: for each modality, its encoder's options by name, without input_dim. Empty: defaults.
        fusion: "sum" of the modalities' embeddings (papers' code), which must then have one dim, or
            "concatenate".
        modality_weight: weight of the loss of each modality's own head, >= 0; papers 1.
        fused_weight: weight of the loss of the head on the fused embedding, > 0; papers 6.
        embedding_dropout: dropout rate of the fused embedding, in [0, 1).
    """

    dim: int = 0
    modalities: tuple[int, ...] = (1024, 128)
    encoders: tuple[str, ...] = ("lstm", "lstm")
    encoder_options: tuple[Mapping[str, Any], ...] = ()
    fusion: Literal["sum", "concatenate"] = "sum"
    modality_weight: float = 1.0
    fused_weight: float = 6.0
    embedding_dropout: float = 0.0

    def __post_init__(self) -> None:
        parts = self.part_configs()
        object.__setattr__(self, "encoder_options", tuple(asdict(part) for part in parts))
        object.__setattr__(self, "dim", self.dim or self.fused_dim)
        super().__post_init__()
        positive(fused_weight=self.fused_weight)
        not_negative(modality_weight=self.modality_weight)
        fraction(embedding_dropout=self.embedding_dropout)

    @property
    def fused_dim(self) -> int:
        """Size that the fusion gives; ValueError if the modalities' embeddings cannot be summed."""
        dims = [part.dim for part in self.part_configs()]
        if self.fusion == "concatenate":
            return sum(dims)
        if len(set(dims)) > 1:
            raise ValueError(f"embeddings of sizes {dims} cannot be summed: give each encoder the same dim")
        return dims[0]

    def part_configs(self) -> list[EncoderConfig]:
        """The config of each modality's encoder."""
        widths, options = self.modalities, self.encoder_options or ({},) * len(self.modalities)
        if not widths or not len(widths) == len(self.encoders) == len(options):
            counts = f"{len(widths)}, {len(self.encoders)} and {len(options)}"
            raise ValueError(f"modalities, encoders and encoder_options must be equally many, not {counts}")
        positive(**{f"modalities[{index}]": width for index, width in enumerate(widths)})
        if sum(widths) != self.input_dim:
            raise ValueError(f"modalities {widths} must add up to input_dim = {self.input_dim}")
        parts = zip(self.encoders, options, widths, strict=True)
        return [_part_config(index, *part) for index, part in enumerate(parts)]


def _part_config(index: int, name: str, options: Mapping[str, Any], width: int) -> EncoderConfig:
    where = f"encoder {name!r} of modality {index}"
    if encoder_level(name) != "frame":
        raise ValueError(f"{where} reads video-level input; a frame-level encoder is needed")
    if options.get("input_dim", width) != width:
        raise ValueError(f"{where} has input_dim {options['input_dim']}, the modality has {width} dimensions")
    return config_from(config_class(name), {**options, "input_dim": width}, where)


@register("multi_modal", MultiModalConfig)
class MultiModalEncoder(Encoder):
    """Slices each frame, encodes the slices, fuses the embeddings; sides are "modality_0" and so on.

    Frames are normalised before they are sliced: as in the papers' code, rgb and audio together have unit
    length.
    """

    level = "frame"
    config: MultiModalConfig

    @classmethod
    def titled(cls, options: Mapping[str, Any], dim: int) -> str:
        encoders = options.get("encoders", ())
        chosen = options.get("encoder_options") or [{} for _ in encoders]
        dims = [own.get("dim", 0) for own in chosen]
        titles = [encoder_title(*part) for part in zip(encoders, chosen, dims, strict=True)]
        if len(titles) > 1 and len(set(titles)) == 1:
            parts = [f"{titles[0]}, {len(titles)} times"]
        else:
            parts = [" and ".join(titles)] if titles else []
        joined = options.get("fusion") == "concatenate"
        words = [": ".join(["Multi-modal", *parts]), *(["concatenated"] if joined else [])]
        fused = [sum(dims) if joined else dims[0]] if dims and all(dims) else []
        return ", ".join([*words, *projected(fused, dim)])

    def __init__(self, config: MultiModalConfig) -> None:
        super().__init__(config)
        parts = zip(config.encoders, config.part_configs(), strict=True)
        self.parts = nn.ModuleList(build_encoder(name, part) for name, part in parts)
        if any(part.side_dims for part in self._parts()):
            raise ValueError(f"encoders {config.encoders}: a modality's encoder must not have side outputs")
        self.project = output_projection(config.fused_dim, config.dim)
        self.dropout = Dropout(config.embedding_dropout)

    @property
    def side_dims(self) -> dict[str, int]:
        return {name: part.dim for name, part in zip(self._names(), self._parts(), strict=True)}

    @property
    def loss_weights(self) -> dict[str, float]:
        weights = dict.fromkeys(self._names(), self.config.modality_weight)
        return {"embedding": self.config.fused_weight, **weights}

    def forward(self, frames: Tensor, num_frames: Tensor) -> Tensor:
        """(B, T, input_dim), (B,) -> (B, dim)."""
        slices = self._slices(frames)
        pairs = zip(self.parts, slices, strict=True)
        return self._fused([part(modality, num_frames) for part, modality in pairs])

    def forward_training(self, *inputs: Tensor) -> TrainingOutput:
        frames, num_frames = inputs
        pairs = zip(self._parts(), self._slices(frames), strict=True)
        outputs = [part.forward_training(modality, num_frames) for part, modality in pairs]
        embeddings = [output.embedding for output in outputs]
        losses = [output.loss for output in outputs if output.loss is not None]
        loss = torch.stack(losses).sum() if losses else None
        sides = dict(zip(self._names(), embeddings, strict=True))
        return TrainingOutput(self._fused(embeddings), sides, loss)

    def penalty(self) -> Tensor:
        return torch.stack([part.penalty() for part in self._parts()]).sum()

    def training_only_parameters(self) -> list[nn.Parameter]:
        return [parameter for part in self._parts() for parameter in part.training_only_parameters()]

    def branch_parameters(self) -> list[nn.Parameter]:
        return [parameter for part in self._parts() for parameter in part.branch_parameters()]

    def set_warm(self, warm: bool) -> None:
        """Leave out the branch of every modality's encoder that has one; ValueError if none has."""
        branched = [part for part in self._parts() if part.branch_parameters()]
        if not branched:
            super().set_warm(warm)
        for part in branched:
            part.set_warm(warm)

    def _slices(self, frames: Tensor) -> Sequence[Tensor]:
        self.check_input(frames)
        return torch.split_with_sizes(frames, self.config.modalities, dim=-1)

    def _fused(self, embeddings: list[Tensor]) -> Tensor:
        together = torch.stack(embeddings).sum(0) if self.config.fusion == "sum" else torch.cat(embeddings, 1)
        return self.dropout(self.project(together))

    def _names(self) -> list[str]:
        return [f"modality_{index}" for index in range(len(self.parts))]

    def _parts(self) -> list[Encoder]:
        return [cast(Encoder, part) for part in self.parts]
