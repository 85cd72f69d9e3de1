"""Input norm + encoder + head: what is trained, saved and loaded as one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from torch import Tensor, nn

from encoders.encoder import Encoder
from encoders.heads import Head, build_head
from encoders.input_norm import InputNorm, InputNormConfig
from encoders.options import config_from
from encoders.registry import build_encoder

Inputs = Tensor | tuple[Tensor, Tensor]


@dataclass(frozen=True)
class ModelConfig:
    """Everything needed to build a model; JSON-able by `to_dict` and `model_config`.

    Args:
        encoder: one of list_encoders().
        num_classes: C.
        encoder_options: the encoder's options by name.
        head: one of list_heads(), or None for an encoder that was fitted without one.
        head_options: the head's options by name (not dim and num_classes).
        input_norm: options of InputNorm; its dim must be the encoder's input_dim.
    """

    encoder: str
    num_classes: int
    encoder_options: Mapping[str, Any] = field(default_factory=dict)
    head: str | None = "moe"
    head_options: Mapping[str, Any] = field(default_factory=dict)
    input_norm: InputNormConfig = field(default_factory=InputNormConfig)

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts, lists, strings and numbers."""
        return asdict(self)


def model_config(values: Mapping[str, Any]) -> ModelConfig:
    """The reverse of `ModelConfig.to_dict`; ValueError for unknown options or wrong types."""
    norm = config_from(InputNormConfig, values.get("input_norm", {}), "input_norm")
    return config_from(ModelConfig, {**values, "input_norm": norm}, "model")


class Model(nn.Module):
    """features -> embedding -> logits. `config` holds every option, the defaults written out."""

    def __init__(self, config: ModelConfig, encoder: Encoder, head: Head | None) -> None:
        super().__init__()
        self.config = config
        self.input_norm = InputNorm(config.input_norm)
        self.encoder = encoder
        self.head = head

    @property
    def dim(self) -> int:
        """Numbers of an embedding."""
        return self.encoder.dim

    def embed(self, inputs: Inputs) -> Tensor:
        """Embeddings (B, dim).

        Args:
            inputs: features (B, D) for a video-level encoder; (frames uint8 or float (B, T, D), num_frames
                (B,)) for a frame-level one. Raw: neither dequantised nor normalised.
        """
        wanted = "video" if isinstance(inputs, Tensor) else "frame"
        name, level = self.config.encoder, self.encoder.level
        if wanted != level:
            raise ValueError(f"encoder {name!r} reads {level}-level input, not {wanted}-level")
        if isinstance(inputs, Tensor):
            embedding: Tensor = self.encoder(self.input_norm(inputs))
        else:
            frames, num_frames = inputs
            embedding = self.encoder(self.input_norm(frames, num_frames), num_frames)
        return embedding

    def forward(self, inputs: Inputs) -> Tensor:
        """Log-odds (B, C) float32; sigmoid gives probabilities. ValueError for a model without a head."""
        logits: Tensor = self._head()(self.embed(inputs))
        return logits

    def loss(self, inputs: Inputs, labels: Tensor) -> Tensor:
        """Cross-entropy summed over classes, mean over videos; labels (B, C) bool. Without `penalty()`."""
        return self._head().loss(self.embed(inputs), labels)

    def penalty(self) -> Tensor:
        """What the training loss adds for the weights of encoder and head; scalar."""
        return self.encoder.penalty() + self._head().penalty()

    def parameter_counts(self) -> dict[str, int]:
        """Trained numbers: {"encoder": n, "head": n}."""
        head = 0 if self.head is None else count_parameters(self.head)
        return {"encoder": count_parameters(self.encoder), "head": head}

    def _head(self) -> Head:
        if self.head is None:
            raise ValueError("this model was fitted without a head")
        return self.head


def count_parameters(module: nn.Module) -> int:
    """Trained numbers in a module."""
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)


def build_model(config: ModelConfig) -> Model:
    """A new model with random weights (torch's global generator).

    Raises:
        ValueError: unknown encoder, head or option, a value out of range, or an input norm of another dim.
    """
    encoder = build_encoder(config.encoder, config.encoder_options)
    norm = config.input_norm
    if encoder.input_dim != norm.dim:
        raise ValueError(f"the encoder reads {encoder.input_dim} numbers, the input norm gives {norm.dim}")
    options, head, head_options = asdict(encoder.config), None, {}
    if config.head is not None:
        head = build_head(config.head, encoder.dim, config.num_classes, config.head_options)
        head_options = {k: v for k, v in asdict(head.config).items() if k not in ("dim", "num_classes")}
    complete = ModelConfig(config.encoder, config.num_classes, options, config.head, head_options, norm)
    return Model(complete, encoder, head)
