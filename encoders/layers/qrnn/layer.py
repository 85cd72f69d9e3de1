"""One QRNN layer: a causal convolution over time for all gates at once, then pooling.

Source: Bradbury et al. 2016 (see pooling.py), section 2: with window k

    z_t = tanh(W_z * (x_(t-k+1), ..., x_t))     f_t, o_t, i_t = sigmoid(W * (x_(t-k+1), ..., x_t))

where x before the first frame is 0; zoneout is section 2.1.
"""

from __future__ import annotations

from typing import NamedTuple, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from encoders.layers.qrnn.gates import GatesMethod, chosen_method, pool_gates, window_product, windows
from encoders.layers.qrnn.pooling import Gates
from encoders.options import fraction, positive
from encoders.torch_settings import compute_type


class QRNNState(NamedTuple):
    """State of a layer after some frames.

    c: (B, H), float32 or float64. inputs: (B, k - 1, I), the last valid inputs, oldest first, in the type
    that the layer computes in.
    """

    c: Tensor
    inputs: Tensor


class QRNNLayer(nn.Module):
    """Causal convolution and pooling.

    `weight` (G H, k I): rows are the gates z, f, o, i (those that `gates` has), columns the window, oldest
    frame first. Xavier-uniform like a convolution of H filters; `bias` (G H,) is 0 except the forget gate's.

    Args:
        inputs: I.
        size: H.
        window: k >= 1 frames that a gate reads: the current one and the k - 1 before it.
        gates: "f", "fo" or "ifo".
        zoneout: rate of states that are left unchanged in training, in [0, 1), drawn per video, frame and
            channel: f = 1 - dropout(1 - sigmoid(.)) without rescaling. The paper says both this and "keep the
            previous state", which for ifo-pooling also needs i = 0, as here.
        forget_bias: initial bias of the forget gate.
        reverse: read the frames from the last valid one to the first; the states are returned in the order
            of the frames.

    `method` says how the states are computed from the gates (see `pool_gates`); weights and checkpoints do
    not depend on it. "native" multiplies the valid frames alone. Under autocast frames and gates have its
    type, the states inside the pooling are float32.
    """

    def __init__(
        self,
        inputs: int,
        size: int,
        window: int = 2,
        gates: Gates = "fo",
        zoneout: float = 0.0,
        forget_bias: float = 0.0,
        reverse: bool = False,
    ) -> None:
        super().__init__()
        positive(inputs=inputs, size=size, window=window)
        fraction(zoneout=zoneout)
        if gates not in get_args(Gates):
            raise ValueError(f"gates must be one of {', '.join(get_args(Gates))}, not {gates!r}")
        self.inputs, self.size, self.window, self.gates = inputs, size, window, gates
        self.zoneout, self.reverse = zoneout, reverse
        self.method: GatesMethod = "auto"
        count = 1 + len(gates)
        # Xavier by hand: fan-out is that of one gate, not of all of them in one matrix.
        bound = (6 / (window * (inputs + size))) ** 0.5
        self.weight = nn.Parameter(torch.empty(count * size, window * inputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(count * size))
        with torch.no_grad():
            self.bias[size : 2 * size] = forget_bias

    def forward(
        self, x: Tensor, mask: Tensor | None = None, state: QRNNState | None = None
    ) -> tuple[Tensor, QRNNState]:
        """States of every frame, and the state to continue from.

        Args:
            x: (B, T, I).
            mask: (B, T) bool, True on the valid frames, which come first; None: all are valid. Padding is
                never read, and leaves the state unchanged.
            state: returned by the call for the frames before these; None at the first frame.

        Returns:
            h (B, T, H), finite but without meaning on padding; and the state after the last valid frame.

        Raises:
            ValueError: wrong shapes; a mask with padding before a valid frame (checked on a CPU only: it
                would stall a GPU); a state for a layer in reverse, which starts at the end.
        """
        self._check(x, mask, state)
        x = x.to(compute_type(x))  # first, so that all copies below are in this type
        method = chosen_method(self.method, x)
        if mask is not None and (self.reverse or method != "native"):
            x = torch.where(mask[:, :, None], x, 0)
        padded = self._padded(x, state)
        if method == "native":
            gates = window_product(padded, self._weight(), mask)
        else:
            gates = F.linear(windows(padded, self.window), self._weight())
        start, zoned = None if state is None else state.c, self._zoned(x)
        h, c = pool_gates(self.gates, gates, self.bias, start, mask, zoned, self.reverse, method)
        return h, QRNNState(c, self._last_inputs(padded, mask))

    def _check(self, x: Tensor, mask: Tensor | None, state: QRNNState | None) -> None:
        if x.dim() != 3 or x.shape[2] != self.inputs:
            raise ValueError(f"a QRNN layer takes (B, T, {self.inputs}), not {tuple(x.shape)}")
        if mask is not None:
            if mask.shape != x.shape[:2] or mask.dtype != torch.bool:
                found = f"{tuple(mask.shape)} {mask.dtype}"
                raise ValueError(f"mask must be {tuple(x.shape[:2])} bool, not {found}")
            if mask.device.type == "cpu" and bool((mask[:, 1:] & ~mask[:, :-1]).any()):
                raise ValueError("mask must have the valid frames first, found padding before a valid one")
        if state is None:
            return
        if self.reverse:
            raise ValueError("a QRNN layer in reverse starts at the last frame, so it takes no state")
        c, past = (len(x), self.size), (len(x), self.window - 1, self.inputs)
        if state.c.shape != c or state.inputs.shape != past:
            shapes = f"c {tuple(state.c.shape)} and inputs {tuple(state.inputs.shape)}"
            raise ValueError(f"the state here must have c {c} and inputs {past}, not {shapes}")

    def _padded(self, x: Tensor, state: QRNNState | None) -> Tensor:
        """(B, T, I) -> (B, k - 1 + T, I): with the k - 1 frames that the first window needs.

        In reverse the padding is read first. It is 0, as all frames before the first are, and leaves c at 0:
        so reading starts in effect at the last valid frame.
        """
        if self.window == 1:
            return x
        nothing = x.new_zeros(len(x), self.window - 1, self.inputs)
        past = nothing if state is None else state.inputs.to(x.dtype)
        return torch.cat([x, past] if self.reverse else [past, x], dim=1)

    def _weight(self) -> Tensor:
        """(G H, k I), the columns in the order of the frames."""
        if not self.reverse or self.window == 1:
            return self.weight
        return self.weight.view(-1, self.window, self.inputs).flip(1).flatten(1)

    def _zoned(self, x: Tensor) -> Tensor | None:
        """(B, T, H) bool, True where zoneout keeps the state; None outside training."""
        if not self.training or self.zoneout == 0:
            return None
        zoned = torch.empty(*x.shape[:2], self.size, dtype=torch.bool, device=x.device)
        return zoned.bernoulli_(self.zoneout)

    def _last_inputs(self, padded: Tensor, mask: Tensor | None) -> Tensor:
        """The last k - 1 inputs up to the last valid one; of a short chunk some are from before it."""
        past = self.window - 1
        if self.reverse:
            return padded[:, :past].flip(1)
        if mask is None:
            return padded[:, padded.shape[1] - past :]
        index = mask.sum(1)[:, None] + torch.arange(past, device=mask.device)
        return padded.gather(1, index[:, :, None].expand(-1, -1, self.inputs))
