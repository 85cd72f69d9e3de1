"""A convolution over positions first as one over an image, without a copy: what a GPU is fast at.

A sequence (L, B, C) lies in memory as one image of L rows and B columns with the channels last, the layout of
tensor cores. A kernel of k rows and one column then mixes the positions of each video by itself.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def image_convolution(x: Tensor, weight: Tensor, bias: Tensor, dilation: int = 1) -> Tensor:
    """y[p] = bias + sum over taps q of x[p + (q - k // 2) * dilation] @ weight[:, :, q].T; zeros outside.

    Args:
        x: (L, B, inputs) floating point; under autocast it is computed in autocast's type.
        weight: (outputs, inputs, k), k odd, as in nn.Conv1d.
        bias: (outputs,).
        dilation: distance of the taps, >= 1.

    Returns:
        (L, B, outputs), in the type it was computed in.
    """
    if not x.shape[1]:  # torch refuses images without columns; every linear map of no videos is the same
        return F.linear(x, weight[:, :, 0], bias)
    margin = dilation * (weight.shape[2] // 2)
    image, kernel = as_image(x), weight[:, :, :, None]
    y = F.conv2d(image, kernel, bias, padding=(margin, 0), dilation=(dilation, 1))
    return y.permute(0, 2, 3, 1)[0].contiguous()  # it is: the layout of the image is that of the result


def as_image(x: Tensor) -> Tensor:
    """(L, B, C) -> (1, C, L, B), channels last: the same memory, where `x` is contiguous."""
    # The new axis comes first: its stride is then a whole image's, which is how torch knows the layout.
    return x.contiguous()[None].permute(0, 3, 1, 2)
