"""Linear layers as the papers start them, and the projection to an embedding of another size."""

from __future__ import annotations

from torch import nn


def linear(inputs: int, outputs: int) -> nn.Linear:
    """A linear layer: Xavier-uniform weight, zero bias."""
    layer = nn.Linear(inputs, outputs)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def output_projection(width: int, dim: int) -> nn.Module:
    """From an encoder's natural width to the wanted one: nothing where they are equal, else `linear`."""
    return nn.Identity() if width == dim else linear(width, dim)
