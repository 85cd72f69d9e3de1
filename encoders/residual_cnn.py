"""ResidualCNN-X: a dilated convolutional network over the outputs of one fully connected layer.

Source: S. Garg, Learning Video Features for Multi-Label Classification (YouTube-8M workshop, ECCV 2018),
section 4.2, Fig. 6 and 7, Table 1, and its code (shivgarg/youtube-8m). Where text and code differ there is an
option; each default is named below.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from encoders.encoder import Encoder
from encoders.layers.convolution.positions import Convolution, PositionsNorm
from encoders.layers.dropout import Dropout
from encoders.layers.fully_connected import FullyConnectedConfig, FullyConnectedLayer, embedding_norm
from encoders.options import fraction, pooled, positive
from encoders.registry import register

KERNEL = 9


class ResidualModule(nn.Module):
    """output = input + convolutions(input) on (L, B, C): kernel 9, dilation 1, 3, 5, ..., ReLU after each.

    Args:
        inputs: channels that come in.
        channels: channels after each convolution; the last must equal `inputs`.
        activation_before_sum: ReLU after the last convolution too.
    """

    def __init__(self, inputs: int, channels: list[int], activation_before_sum: bool = True) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for index, (before, after) in enumerate(zip([inputs, *channels], channels, strict=False)):
            layers += [Convolution(before, after, KERNEL, dilation=2 * index + 1), nn.ReLU()]
        self.layers = nn.Sequential(*layers[: len(layers) if activation_before_sum else -1])

    def forward(self, x: Tensor) -> Tensor:
        """(L, B, C) -> the same."""
        return x + self.layers(x)


@dataclass(frozen=True)
class ResidualCNNConfig(FullyConnectedConfig):
    """Options of ResidualCNN; dim is X: width of fc, length of the sequence, last channels, embedding.

    Args:
        pooling: over positions, "max" or "mean" (both in Table 3).
        fc_skip: embedding = pooled + fc, as the code does (text and Table 1 do not mention it); else pooled.
        norm_after_module4: a batch norm there, as Table 1 marks it; the code has none.
        activation_before_sum: ReLU after the last convolution of a module, as the code does; else the
            sum is of the plain convolution.
        norm_momentum: weight of the newest batch in the running statistics, in [0, 1); papers 0.001 (decay
            0.999), which needs thousands of steps; short runs want 0.01 to 0.1.
        norm_eps: papers 1e-3.
        norm_scale: learn batch norm's factor gamma; papers: no.
        branch_gain: ours. None: as the papers. A number: before pooled is added to fc, it is multiplied by a
            learnable gain per channel that starts at this number; with 0.0 a run starts from fc alone (as in
            ReZero, Bachlechner et al. 2020).
        width: factor on the channels 64-512 of the convolutions (not on X); papers 1; less is faster.
    """

    pooling: Literal["max", "mean"] = "max"
    fc_skip: bool = True
    norm_after_module4: bool = False
    activation_before_sum: bool = True
    norm_momentum: float = 0.001
    norm_eps: float = 1e-3
    norm_scale: bool = False
    branch_gain: float | None = None
    width: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(norm_eps=self.norm_eps, width=self.width)
        fraction(norm_momentum=self.norm_momentum)
        if self.branch_gain is not None and not self.fc_skip:
            raise ValueError("branch_gain weighs the branch against fc, so it needs fc_skip")

    def channels(self, number: int) -> int:
        """`number` of Table 1, by `width`."""
        return max(1, round(number * self.width))


@register("residual_cnn", ResidualCNNConfig)
class ResidualCNN(Encoder):
    """fc -> sequence of X positions -> convolutions -> pool over positions -> + fc."""

    config: ResidualCNNConfig

    @classmethod
    def titled(cls, options: Mapping[str, Any], dim: int) -> str:
        width = options.get("width", 1.0)
        reduced = [f"width x{width:g}"] if width != 1.0 else []
        return ", ".join([f"ResidualCNN-{dim}", *pooled(options), *reduced])

    def __init__(self, config: ResidualCNNConfig) -> None:
        super().__init__(config)
        self.fc = FullyConnectedLayer(config)
        self.cnn = _stages(config)
        start = config.branch_gain
        self.gain = None if start is None else nn.Parameter(torch.full((config.dim,), float(start)))
        self.end = embedding_norm(config)
        self.dropout = Dropout(config.embedding_dropout)
        self.warm = False

    def branch_parameters(self) -> list[nn.Parameter]:
        return [*self.cnn.parameters(), *([] if self.gain is None else [self.gain])]

    def set_warm(self, warm: bool) -> None:
        """While warm, embedding = fc: the same as with a gain of 0, at a hundredth of the cost."""
        if warm and self.config.branch_gain != 0:
            raise ValueError("warm_epochs needs branch_gain 0.0")
        self.warm = warm

    def forward(self, features: Tensor) -> Tensor:
        """(B, input_dim) -> (B, dim)."""
        self.check_input(features)
        fc: Tensor = self.fc(features)
        if self.warm:
            return self.dropout(self.end(fc))
        positions = self.cnn(fc[:, None])
        pooled = positions.amax(2) if self.config.pooling == "max" else positions.mean(2)
        if self.gain is not None:
            pooled = pooled * self.gain
        return self.dropout(self.end(pooled + fc if self.config.fc_skip else pooled))

    def penalty(self) -> Tensor:
        """fc_weight_penalty * sum(fc weight ** 2) / 2."""
        return self.fc.penalty()


class _Stages(nn.Sequential):
    """(B, 1, X) -> (B, X channels, X positions); positions first in between."""

    def forward(self, sequence: Tensor) -> Tensor:
        result: Tensor = super().forward(sequence.permute(2, 0, 1))  # type: ignore[no-untyped-call]
        return result.permute(1, 2, 0)


def _stages(config: ResidualCNNConfig) -> _Stages:
    """Table 1 from conv1 to module4."""
    c, x = config.channels, config.dim

    def norm(channels: int) -> PositionsNorm:
        return PositionsNorm(channels, config.norm_momentum, config.norm_eps, config.norm_scale)

    def stage(inputs: int, kernel: int, width: int, inner: list[int]) -> list[nn.Module]:
        module = ResidualModule(width, [*inner, width], config.activation_before_sum)
        return [Convolution(inputs, width, kernel), nn.ReLU(), norm(width), module]

    stages = [
        *stage(1, 49, c(64), [c(128), c(192)]),
        norm(c(64)),
        *stage(c(64), 1, c(128), [c(256), c(512)]),
        norm(c(128)),
        *stage(c(128), 1, c(256), [c(512)]),
        norm(c(256)),
        *stage(c(256), 1, x, [c(512)]),
    ]
    return _Stages(*stages, norm(x)) if config.norm_after_module4 else _Stages(*stages)


@register("residual_cnn_fc", FullyConnectedConfig)
class ResidualCNNFC(Encoder):
    """embedding = ReLU(W x + b). `fc` is named and shaped as ResidualCNN's: its weights can start one."""

    title = "ResidualCNN-FC-{dim}"
    config: FullyConnectedConfig

    def __init__(self, config: FullyConnectedConfig) -> None:
        super().__init__(config)
        self.fc = FullyConnectedLayer(config)
        self.end = embedding_norm(config)
        self.dropout = Dropout(config.embedding_dropout)

    def forward(self, features: Tensor) -> Tensor:
        """(B, input_dim) -> (B, dim)."""
        self.check_input(features)
        return self.dropout(self.end(self.fc(features)))

    def penalty(self) -> Tensor:
        """fc_weight_penalty * sum(fc weight ** 2) / 2."""
        return self.fc.penalty()
