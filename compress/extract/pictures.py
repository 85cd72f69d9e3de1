"""What a backbone wants to see of a frame: upright, resized, cropped; then as numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from compress.errors import UsageError

INTERPOLATIONS = ("bilinear", "bicubic")


@dataclass(frozen=True)
class Preprocessing:
    """How pictures become the input of a backbone.

    Args:
        size: width and height of the input in pixels.
        resize: the shorter side is made this long before the middle is cut out; at least `size`.
        mean, std: of red, green and blue, of values between 0 and 1; a value becomes (value - mean) / std.
        interpolation: "bilinear" or "bicubic".
        channels: "RGB" or "BGR", the order that the network wants.
        layout: "NCHW" or "NHWC".
    """

    size: int
    resize: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: str = "bicubic"
    channels: Literal["RGB", "BGR"] = "RGB"
    layout: Literal["NCHW", "NHWC"] = "NCHW"

    def __post_init__(self) -> None:
        if not 1 <= self.size <= self.resize:
            raise UsageError(
                f"resize ({self.resize}) must be at least size ({self.size}), and size at least 1"
            )
        if len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            raise UsageError("mean and std need three numbers each, those of std above 0")
        if self.interpolation not in INTERPOLATIONS:
            raise UsageError(f"interpolation must be one of {', '.join(INTERPOLATIONS)}")
        if self.channels not in ("RGB", "BGR") or self.layout not in ("NCHW", "NHWC"):
            raise UsageError("channels must be RGB or BGR, and layout NCHW or NHWC")

    def to_json(self) -> dict[str, Any]:
        """A JSON-able dict; equal for equal preprocessing."""
        return {**asdict(self), "mean": list(self.mean), "std": list(self.std)}

    def __call__(self, pictures: np.ndarray) -> np.ndarray:
        """uint8 (B, size, size, 3) RGB -> float32 (B, 3, size, size), or (B, size, size, 3) for NHWC."""
        mean, std = (np.array(each, dtype=np.float32) for each in (self.mean, self.std))
        values = (pictures.astype(np.float32) / np.float32(255) - mean) / std
        if self.channels == "BGR":
            values = values[..., ::-1]
        return np.ascontiguousarray(values.transpose(0, 3, 1, 2) if self.layout == "NCHW" else values)


def resized(width: int, height: int, shorter: int) -> tuple[int, int]:
    """Width and height of a picture whose shorter side is made `shorter` long; its shape is kept."""
    scale = shorter / min(width, height)
    return max(shorter, round(width * scale)), max(shorter, round(height * scale))


def cropped(picture: np.ndarray, size: int) -> np.ndarray:
    """The middle (size, size, C) of a picture (H, W, C)."""
    top, left = (picture.shape[0] - size) // 2, (picture.shape[1] - size) // 2
    return picture[top : top + size, left : left + size]


def upright(picture: np.ndarray, matrix: np.ndarray | None) -> np.ndarray:
    """A picture (H, W, C) turned and mirrored as the display matrix of its stream says.

    Args:
        picture: as it was coded.
        matrix: (9,) of int32, row by row; the point (x, y) is shown at (a x + c y, b x + d y), where a, b are
            the first two numbers and c, d the fourth and fifth. None: as it is. A turn by another angle than
            a multiple of 90 degrees is taken as the nearest one.
    """
    if matrix is None:
        return picture
    a, b, c, d = (int(matrix[place]) for place in (0, 1, 3, 4))
    if abs(b) + abs(c) > abs(a) + abs(d):  # x and y change places
        picture, rows, columns = picture.transpose(1, 0, 2), b, c
    else:
        rows, columns = d, a
    return picture[:: -1 if rows < 0 else 1, :: -1 if columns < 0 else 1]
