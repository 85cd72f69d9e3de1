"""The residual module of ResidualCNN (paper section 4.2, Fig. 6)."""

from __future__ import annotations

from torch import Tensor, nn

KERNEL = 9


class ResidualModule(nn.Module):
    """output = input + convolutions(input): kernel 9, dilation 1, 3, 5 by position, ReLU after each.

    Plain Conv1d on (B, C, L): the paper's (9, 1) kernel in two dimensions is 3-5 times slower on a CPU.

    Args:
        inputs: channels that come in.
        channels: channels after each convolution; the last must equal `inputs`.
        activation_before_sum: ReLU after the last convolution too.
    """

    def __init__(self, inputs: int, channels: list[int], activation_before_sum: bool = True) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for index, (before, after) in enumerate(zip([inputs, *channels], channels, strict=False)):
            layers += [convolution(before, after, KERNEL, dilation=2 * index + 1), nn.ReLU()]
        self.layers = nn.Sequential(*layers[: len(layers) if activation_before_sum else -1])

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, L) -> the same."""
        result: Tensor = x + self.layers(x)
        return result


def convolution(inputs: int, outputs: int, kernel: int, dilation: int = 1) -> nn.Conv1d:
    """Stride 1, same padding, Xavier-uniform weight, zero bias."""
    layer = nn.Conv1d(inputs, outputs, kernel, padding=dilation * (kernel // 2), dilation=dilation)
    nn.init.xavier_uniform_(layer.weight)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer
