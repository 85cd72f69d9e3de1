"""Input norm + encoder + heads: trained, saved and loaded as one model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, cast

import torch
from torch import Tensor, nn

from encoders.blended import Blended
from encoders.bottleneck import Bottleneck
from encoders.encoder import Encoder
from encoders.heads import Criterion, Head, build_head, cross_entropy
from encoders.heads.readout import LinearReadout
from encoders.input_norm import InputNorm, InputNormConfig
from encoders.layers.dropout import dropout
from encoders.options import config_from
from encoders.registry import build_encoder
from encoders.torch_settings import fast_float32_products

Inputs = Tensor | tuple[Tensor, Tensor] | Blended


@dataclass(frozen=True)
class ModelConfig:
    """Everything needed to build a model; JSON-able by `to_dict` and `model_config`.

    Args:
        encoder: one of list_encoders().
        num_classes: C.
        encoder_options: the encoder's options by name.
        head: one of list_heads(), or None for a closed-form encoder.
        head_options: the head's options by name (not dim and num_classes).
        input_norm: options of InputNorm; its dim must be the encoder's input_dim.
        nested_dims: sizes of prefixes of the embedding that get a head of their own, see `Bottleneck`.
        quantize: name of the codec to train for, or "none".
        readout_weight: of the loss of a `LinearReadout` of the whole embedding; 0 for none.
    """

    encoder: str
    num_classes: int
    encoder_options: Mapping[str, Any] = field(default_factory=dict)
    head: str | None = "moe"
    head_options: Mapping[str, Any] = field(default_factory=dict)
    input_norm: InputNormConfig = field(default_factory=InputNormConfig)
    nested_dims: tuple[int, ...] = ()
    quantize: str = "none"
    readout_weight: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts, lists, strings and numbers."""
        return asdict(self)


def model_config(values: Mapping[str, Any]) -> ModelConfig:
    """The reverse of `ModelConfig.to_dict`; ValueError for unknown options or wrong types."""
    norm = config_from(InputNormConfig, values.get("input_norm", {}), "input_norm")
    return config_from(ModelConfig, {**values, "input_norm": norm}, "model")


class Model(nn.Module):
    """features -> embedding -> logits. `config` holds every option, the defaults written out.

    `head` reads the whole embedding, `nested_heads` its prefixes (by size), `side_heads` the side outputs of
    the encoder (by name; for the loss only). All are of one kind. `readout` (or None) is for the loss only.
    Heads that a model does not need are not in its state dict.
    """

    def __init__(
        self,
        config: ModelConfig,
        encoder: Encoder,
        head: Head | None,
        side_heads: Mapping[str, Head],
        nested_heads: Mapping[int, Head],
        bottleneck: Bottleneck,
    ) -> None:
        super().__init__()
        self.config = config
        self.input_norm = InputNorm(config.input_norm)
        self.encoder = encoder
        self.head = head
        self.side_heads = nn.ModuleDict(dict(side_heads))
        self.nested_heads = nn.ModuleDict({str(dim): head for dim, head in nested_heads.items()})
        self.bottleneck = bottleneck
        weighs = config.readout_weight > 0
        self.readout = LinearReadout(encoder.dim, config.num_classes) if weighs else None

    @property
    def dim(self) -> int:
        """Embedding size."""
        return self.encoder.dim

    @property
    def dims(self) -> tuple[int, ...]:
        """Embedding sizes that it is trained for, ascending; the last is `dim`."""
        return self.bottleneck.dims

    def embed(self, inputs: Inputs) -> Tensor:
        """Embeddings (B, dim) before their codec; with nested dims renormalised.

        Args:
            inputs: raw (neither dequantised nor normalised): features (B, D) for a video-level encoder;
                (frames uint8 or float (B, T, D), num_frames (B,)) for a frame-level one; or `Blended`.
        """
        return self.bottleneck.stored(self.encoder(*self._normalised(inputs)))

    def forward(self, inputs: Inputs) -> Tensor:
        """Logits (log-odds) (B, C) float32; sigmoid gives probabilities. ValueError without a head."""
        return self.logits(self.embed(inputs))

    def logits(self, embedding: Tensor, dim: int | None = None) -> Tensor:
        """Logits (B, C) float32 of embeddings (B, dim) as `embed` gives them.

        Args:
            embedding: whole embeddings, not quantised.
            dim: one of `dims`, whose head reads that prefix, quantised; None for the whole embedding.

        Raises:
            ValueError: no head of this size.
        """
        size = self.dim if dim is None else dim
        return self.head_of(size)(self.bottleneck(embedding, size))

    def head_of(self, dim: int) -> Head:
        """The head that reads embeddings of size `dim`; ValueError if there is none."""
        if dim == self.dim:
            return self._head()
        if str(dim) not in self.nested_heads:
            raise ValueError(f"no head for embedding size {dim}, only for {', '.join(map(str, self.dims))}")
        return cast(Head, self.nested_heads[str(dim)])

    def loss(
        self,
        inputs: Inputs,
        targets: Tensor,
        input_dropout: float = 0.0,
        criterion: Criterion = cross_entropy,
    ) -> Tensor:
        """The training loss without `penalty()`; a scalar.

        The sum of the losses of the head and the side heads (summed over classes, mean over videos), each
        times its weight in `Encoder.loss_weights`, of the encoder's own loss and of the readout's. With
        nested dims the head's loss is the mean over all sizes.

        Args:
            inputs: as `embed` takes them.
            targets: (B, C), labels as bool, or soft targets in [0, 1].
            input_dropout: dropout rate of the normalised input, in [0, 1).
            criterion: of every head, see `Head.loss`.
        """
        features, *rest = self._normalised(inputs)
        if input_dropout:  # after the norm, which would scale the rest up again
            features = dropout(features, input_dropout, self.training)
        output, weights = self.encoder.forward_training(features, *rest), self.encoder.loss_weights
        total = weights["embedding"] * self._embedding_loss(output.embedding, targets, criterion)
        for name, side_head in self._side_heads().items():
            total = total + weights[name] * side_head.loss(output.sides[name], targets, criterion)
        if self.readout is not None:
            total = total + self.config.readout_weight * self.readout.loss(output.embedding, targets)
        return total if output.loss is None else total + output.loss

    def penalty(self) -> Tensor:
        """Penalty on the weights of the encoder and all heads, a scalar."""
        total = self.encoder.penalty() + self._head().penalty()
        for other in (*self._side_heads().values(), *self._nested_heads()):
            total = total + other.penalty()
        return total

    def set_class_priors(self, priors: Tensor) -> None:
        """Start all heads from class frequencies (C,): see `Head.set_class_priors`."""
        for head in (self._head(), *self._side_heads().values(), *self._nested_heads()):
            head.set_class_priors(priors)
        if self.readout is not None:
            self.readout.set_class_priors(priors)

    def parameter_counts(self) -> dict[str, int]:
        """Trained parameters: {"encoder": n, "head": n}, and if there are any "nested_heads",
        "side_heads", "readout" and "training_only" (of the encoder, but no embedding depends on them: a
        decoder; not in "encoder").
        """
        only = sum(p.numel() for p in self.encoder.training_only_parameters() if p.requires_grad)
        head = 0 if self.head is None else count_parameters(self.head)
        counts = {"encoder": count_parameters(self.encoder) - only, "head": head}
        extra = {
            "nested_heads": count_parameters(self.nested_heads),
            "side_heads": count_parameters(self.side_heads),
            "readout": 0 if self.readout is None else count_parameters(self.readout),
            "training_only": only,
        }
        return counts | {name: number for name, number in extra.items() if number}

    def _normalised(self, inputs: Inputs) -> tuple[Tensor, ...]:
        """The arguments of the encoder; ValueError for input of the other level."""
        if isinstance(inputs, Blended):
            features, *rest = self._normalised(inputs.inputs)
            return inputs.of_frames(features, *rest) if rest else (inputs.of_features(features),)
        wanted = "video" if isinstance(inputs, Tensor) else "frame"
        name, level = self.config.encoder, self.encoder.level
        if wanted != level:
            raise ValueError(f"encoder {name!r} reads {level}-level input, not {wanted}-level")
        if isinstance(inputs, Tensor):
            return (self.input_norm(inputs),)
        frames, num_frames = inputs
        return self.input_norm(frames, num_frames), num_frames

    def _embedding_loss(self, embedding: Tensor, targets: Tensor, criterion: Criterion) -> Tensor:
        losses = [
            self.head_of(dim).loss(self.bottleneck(embedding, dim), targets, criterion) for dim in self.dims
        ]
        return losses[0] if len(losses) == 1 else torch.stack(losses).mean()

    def _nested_heads(self) -> list[Head]:
        return [cast(Head, head) for head in self.nested_heads.values()]

    def _side_heads(self) -> dict[str, Head]:
        return {name: cast(Head, head) for name, head in self.side_heads.items()}

    def _head(self) -> Head:
        if self.head is None:
            raise ValueError("this model has no head")
        return self.head


def count_parameters(module: nn.Module) -> int:
    """Number of trained parameters in a module."""
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)


def build_model(config: ModelConfig) -> Model:
    """A new model with random weights (torch's global generator).

    Raises:
        ValueError: unknown encoder, head or option, a value out of range, or an input norm of another dim.
    """
    fast_float32_products()  # before any product is computed: it changes the last bits
    encoder = build_encoder(config.encoder, config.encoder_options)
    norm = config.input_norm
    if encoder.input_dim != norm.dim:
        raise ValueError(f"the encoder reads {encoder.input_dim} dimensions, the input norm gives {norm.dim}")
    bottleneck = _bottleneck(config, encoder)
    options, head, head_options = asdict(encoder.config), None, {}
    side_heads: dict[str, Head] = {}
    nested_heads: dict[int, Head] = {}
    if config.head is not None:
        head = build_head(config.head, encoder.dim, config.num_classes, config.head_options)
        head_options = {k: v for k, v in asdict(head.config).items() if k not in ("dim", "num_classes")}

        def another(dim: int) -> Head:
            return build_head(str(config.head), dim, config.num_classes, head_options)

        side_heads = {name: another(dim) for name, dim in encoder.side_dims.items()}
        nested_heads = {dim: another(dim) for dim in bottleneck.dims[:-1]}
    # With every default written out, a model can be built again after a default has changed.
    complete = replace(config, encoder_options=options, head_options=head_options)
    return Model(complete, encoder, head, side_heads, nested_heads, bottleneck)


def _bottleneck(config: ModelConfig, encoder: Encoder) -> Bottleneck:
    # Dropout comes last, after cutting, quantising and the readout, so the encoder hands its own over.
    is_plain = not config.nested_dims and config.quantize == "none" and not config.readout_weight
    if not is_plain and config.head is None:
        raise ValueError("nested_dims, quantize and readout_weight need a head, and this model has none")
    dropout = 0.0 if is_plain else encoder.hand_over_dropout()
    return Bottleneck(encoder.dim, config.nested_dims, config.quantize, dropout)
