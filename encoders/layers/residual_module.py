"""The residual module of ResidualCNN (paper section 4.2, Fig. 6)."""

from __future__ import annotations

from torch import Tensor, nn

from encoders.layers.convolution.positions import Convolution

KERNEL = 9


class ResidualModule(nn.Module):
    """output = input + convolutions(input): kernel 9, dilation 1, 3, 5 by position, ReLU after each.

    On (L, B, C), positions first.

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
        result: Tensor = x + self.layers(x)
        return result
