"""Which numbers of a model are its bulk: the weights of its matrices, not biases, norms and statistics."""

from __future__ import annotations

from torch import Tensor, nn


def is_matrix(name: str, parameter: Tensor) -> bool:
    """Whether a parameter is a matrix (or a convolution's kernel), by its shape and its name.

    The MoE's biases are (K, C): their shape is that of a matrix, their name is not.
    """
    return parameter.dim() > 1 and not name.endswith("bias")


def matrices_of(model: nn.Module) -> dict[str, nn.Parameter]:
    """The matrices of a model by the names that its state dict has for them."""
    return {name: value for name, value in model.named_parameters() if is_matrix(name, value)}
