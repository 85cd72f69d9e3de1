"""How a dilated convolution is cut into tiles, and the real matrices to frequencies and back.

Sequence position p = m * dilation + r: each residue r is an undilated sequence over m, cut into tiles of
`outputs` results, which need `samples` = outputs + kernel - 1 inputs. A cyclic correlation of that length by
the discrete Fourier transform gives them. Frequencies come as real numbers: one product for each of the two
real frequencies, three for every complex one (Gauss), so `points` = 3 * samples / 2 - 1 products per tile.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

SMALLEST_TILE, LARGEST_TILE = 8, 32  # with larger tiles the transformed weight costs more than is saved
TRANSFORM_COST = 1 / 160  # of an entry of the transforms, relative to one of a layer with about 320 channels


@dataclass(frozen=True)
class Plan:
    """The tiles of one convolution, see `make_plan`.

    Args:
        length: positions L of the sequence.
        dilation: distance of the taps.
        kernel: taps k, odd.
        outputs: results of a tile, even.
        tiles: tiles of one residue.
    """

    length: int
    dilation: int
    kernel: int
    outputs: int
    tiles: int

    @property
    def samples(self) -> int:
        """Inputs of a tile."""
        return self.outputs + self.kernel - 1

    @property
    def points(self) -> int:
        """Products of a tile."""
        return points(self.samples)

    @property
    def input_rows(self) -> int:
        """Inputs of all tiles of one residue."""
        return self.tiles * self.outputs + self.kernel - 1

    @property
    def padded_inputs(self) -> int:
        """Positions the tiles read: `margin` before the sequence, the rest after it."""
        return self.input_rows * self.dilation

    @property
    def padded_outputs(self) -> int:
        """Positions the tiles write, at least `length`."""
        return self.tiles * self.outputs * self.dilation

    @property
    def margin(self) -> int:
        """Zeros before the sequence: same padding."""
        return self.kernel // 2 * self.dilation


def points(samples: int) -> int:
    """Real products that multiply two transforms of `samples` (even) real numbers."""
    return 3 * samples // 2 - 1


@lru_cache(maxsize=256)
def make_plan(length: int, dilation: int, kernel: int) -> Plan:
    """The plan with the least work; ValueError for an even kernel or a number below 1."""
    if kernel < 1 or kernel % 2 == 0 or length < 1 or dilation < 1:
        raise ValueError(
            f"kernel must be odd, length and dilation positive; not {kernel}, {length}, {dilation}"
        )
    longest = math.ceil(length / dilation)

    def work(outputs: int) -> float:
        samples = outputs + kernel - 1
        return math.ceil(longest / outputs) * points(samples) * (1 + TRANSFORM_COST * (samples + outputs))

    outputs = min(range(SMALLEST_TILE, LARGEST_TILE + 1, 2), key=work)
    return Plan(length, dilation, kernel, outputs, math.ceil(longest / outputs))


@lru_cache(maxsize=64)
def transforms(
    outputs: int, kernel: int, dtype: torch.dtype, device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    """Matrices with result = back @ ((taps @ w) * (forth @ x)) for one tile, computed in float64.

    Returns forth (points, samples), taps (points, kernel), back (outputs, points).
    """
    with torch.inference_mode(False), torch.no_grad():  # the cache outlives the caller's mode
        forth, taps, back = _exact(outputs, kernel)
        return forth.to(device, dtype), taps.to(device, dtype), back.to(device, dtype)


def _exact(outputs: int, kernel: int) -> tuple[Tensor, Tensor, Tensor]:
    samples = outputs + kernel - 1
    angles = torch.arange(samples // 2 + 1, dtype=torch.float64, device="cpu") * (2 * math.pi / samples)
    phases = angles[:, None] * torch.arange(samples, dtype=torch.float64, device="cpu")
    cosine, sine = torch.cos(phases), torch.sin(phases)
    ends, inner = [0, samples // 2], slice(1, samples // 2)  # real frequencies; complex ones
    c, s = cosine[inner], sine[inner]
    p, q = c[:, :kernel], s[:, :kernel]  # a kernel's conjugate transform p w + i q w: correlation
    a, b = c[:, :outputs] * (2 / samples), s[:, :outputs] * (2 / samples)
    # x -> (c - i s) x. With u = c x, v = -s x and k1 = p (u + v), k2 = (q - p) u, k3 = (p + q) v:
    # real part k1 - k3, imaginary part k1 + k2; back: real * cosine - imaginary * sine.
    forth = torch.cat([cosine[ends], c - s, c, -s])
    taps = torch.cat([cosine[ends, :kernel], p, q - p, p + q])
    back = torch.cat([cosine[ends, :outputs] / samples, a - b, -b, -a])
    return forth, taps, back.t().contiguous()
