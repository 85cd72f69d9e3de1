"""Input norm + encoder + head: what is trained, saved and loaded as one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from torch import Tensor, nn
from torch.nn import functional as F

from encoders.encoder import Encoder
from encoders.float32_products import fast_float32_products
from encoders.heads import Criterion, Head, build_head, cross_entropy
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
    """features -> embedding -> logits. `config` holds every option, the defaults written out.

    Encoders with side outputs (`Encoder.side_dims`) have `side_heads` for them by name: of the head's kind
    and options, part of the loss alone. Without sides it is empty, and nothing of it is in the state dict.
    """

    def __init__(
        self, config: ModelConfig, encoder: Encoder, head: Head | None, side_heads: Mapping[str, Head]
    ) -> None:
        super().__init__()
        self.config = config
        self.input_norm = InputNorm(config.input_norm)
        self.encoder = encoder
        self.head = head
        self.side_heads = nn.ModuleDict(dict(side_heads))

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
        embedding: Tensor = self.encoder(*self._normalised(inputs))
        return embedding

    def forward(self, inputs: Inputs) -> Tensor:
        """Log-odds (B, C) float32; sigmoid gives probabilities. ValueError for a model without a head."""
        logits: Tensor = self._head()(self.embed(inputs))
        return logits

    def loss(
        self,
        inputs: Inputs,
        targets: Tensor,
        input_dropout: float = 0.0,
        criterion: Criterion = cross_entropy,
    ) -> Tensor:
        """What training makes small, but for `penalty()`; a scalar.

        The losses (summed over classes, mean over videos) of the head and of the side heads, each times its
        weight of `Encoder.loss_weights`, plus what the encoder adds itself.

        Args:
            inputs: as `embed` takes them.
            targets: (B, C), labels as bool, or soft targets in [0, 1].
            input_dropout: share of the normalised input's numbers dropped in training mode, in [0, 1).
            criterion: of every head, see `Head.loss`.
        """
        head = self._head()
        features, *rest = self._normalised(inputs)
        if input_dropout:
            features = F.dropout(features, input_dropout, self.training)
        output, weights = self.encoder.forward_training(features, *rest), self.encoder.loss_weights
        total = weights["embedding"] * head.loss(output.embedding, targets, criterion)
        for name, side_head in self._side_heads().items():
            total = total + weights[name] * side_head.loss(output.sides[name], targets, criterion)
        return total if output.loss is None else total + output.loss

    def penalty(self) -> Tensor:
        """What the training loss adds for the weights of encoder, head and side heads; scalar."""
        total = self.encoder.penalty() + self._head().penalty()
        for side_head in self._side_heads().values():
            total = total + side_head.penalty()
        return total

    def set_class_priors(self, priors: Tensor) -> None:
        """Start head and side heads from class frequencies (C,): see `Head.set_class_priors`."""
        for head in (self._head(), *self._side_heads().values()):
            head.set_class_priors(priors)

    def parameter_counts(self) -> dict[str, int]:
        """Trained numbers: {"encoder": n, "head": n}, and what only training needs, where there is any:
        "side_heads" and "training_only" (the encoder's, a decoder; not in "encoder").
        """
        only = sum(p.numel() for p in self.encoder.training_only_parameters() if p.requires_grad)
        head = 0 if self.head is None else count_parameters(self.head)
        counts = {"encoder": count_parameters(self.encoder) - only, "head": head}
        extra = {"side_heads": count_parameters(self.side_heads), "training_only": only}
        return counts | {name: number for name, number in extra.items() if number}

    def _normalised(self, inputs: Inputs) -> tuple[Tensor, ...]:
        """What the encoder is called with; ValueError for input of the other level."""
        wanted = "video" if isinstance(inputs, Tensor) else "frame"
        name, level = self.config.encoder, self.encoder.level
        if wanted != level:
            raise ValueError(f"encoder {name!r} reads {level}-level input, not {wanted}-level")
        if isinstance(inputs, Tensor):
            return (self.input_norm(inputs),)
        frames, num_frames = inputs
        return self.input_norm(frames, num_frames), num_frames

    def _side_heads(self) -> dict[str, Head]:
        return {name: cast(Head, head) for name, head in self.side_heads.items()}

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
    fast_float32_products()
    encoder = build_encoder(config.encoder, config.encoder_options)
    norm = config.input_norm
    if encoder.input_dim != norm.dim:
        raise ValueError(f"the encoder reads {encoder.input_dim} numbers, the input norm gives {norm.dim}")
    options, head, head_options = asdict(encoder.config), None, {}
    side_heads: dict[str, Head] = {}
    if config.head is not None:
        head = build_head(config.head, encoder.dim, config.num_classes, config.head_options)
        head_options = {k: v for k, v in asdict(head.config).items() if k not in ("dim", "num_classes")}
        side_heads = {
            name: build_head(config.head, dim, config.num_classes, head_options)
            for name, dim in encoder.side_dims.items()
        }
    complete = ModelConfig(config.encoder, config.num_classes, options, config.head, head_options, norm)
    return Model(complete, encoder, head, side_heads)
