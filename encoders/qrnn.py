"""QRNN: causal convolutions and gated pooling over the frames, pooled to one vector.

Source: a QRNN on YouTube-8M (Hit@1 0.854, PERR 0.756, GAP 0.808) after Bradbury, Merity, Xiong, Socher,
Quasi-Recurrent Neural Networks (arXiv 1611.01576). That paper prints fo-pooling and fixes no window, width,
depth, frame pooling or optimiser: the defaults here are a small net that trains on a CPU (5.1 million
parameters), not a published one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from encoders.layers import pooling
from encoders.layers.directions import final_states
from encoders.layers.pooling import Running
from encoders.layers.qrnn.layer import QRNNLayer, QRNNState
from encoders.layers.qrnn.pooling import HALF, Gates
from encoders.layers.recurrent import RecurrentConfig, RecurrentEncoder
from encoders.options import fraction, positive
from encoders.registry import register


@dataclass(frozen=True)
class QRNNConfig(RecurrentConfig):
    """Options of QRNNEncoder.

    Args:
        sizes: width of each layer, of each direction.
        window: frames that each gate reads, the current one and those before it, >= 1; one number, or one per
            layer. Stored as one per layer.
        gates: the pooling inside the layers: "f", "fo" (the paper's) or "ifo".
        pooling: over the valid frames: "last" state (backward: the state at the first frame, its last),
            "mean", "max", "attention" or "raw_attention" (see RecurrentConfig).
        bidirectional: each layer reads in both directions, and the next one reads both.
        dense: each layer reads the frames and the outputs of all layers before it (Bradbury section 2.1).
        zoneout: rate of states that are left unchanged in training, in [0, 1).
        forget_bias: initial bias of the forget gates; no paper names one; 1 as for the LSTM.
    """

    sizes: tuple[int, ...] = (512, 512)
    window: int | tuple[int, ...] = 2
    gates: Gates = "fo"
    bidirectional: bool = False
    dense: bool = False
    zoneout: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        windows = self.windows
        if len(windows) != len(self.sizes):
            raise ValueError(f"window {windows} must be one number, or one for each of sizes {self.sizes}")
        positive(**{f"window[{index}]": window for index, window in enumerate(windows)})
        fraction(zoneout=self.zoneout)
        object.__setattr__(self, "window", windows)

    @property
    def windows(self) -> tuple[int, ...]:
        """The window of each layer."""
        return (self.window,) * len(self.sizes) if isinstance(self.window, int) else tuple(self.window)

    @property
    def width(self) -> int:
        return self.directions * self.sizes[-1]

    @property
    def directions(self) -> int:
        """2 when bidirectional, else 1."""
        return 1 + self.bidirectional


class QRNNStream(NamedTuple):
    """What `QRNNEncoder.stream` keeps of the past: the state of each layer, and the pooled states."""

    layers: tuple[QRNNState, ...]
    pooled: Running


@register("qrnn", QRNNConfig)
class QRNNEncoder(RecurrentEncoder):
    """QRNN layers, then masked pooling."""

    title = "QRNN"
    config: QRNNConfig
    layers: nn.ModuleList

    @classmethod
    def extras(cls, options: Mapping[str, Any]) -> list[str]:
        gates = [f"{options['gates']}-pooling"] if "gates" in options else []
        return gates + [name for name in ("bidirectional", "dense") if options.get(name)]

    def __init__(self, config: QRNNConfig) -> None:
        last = final_states if config.bidirectional else pooling.last
        super().__init__(config, _layers(config), last)

    def states(self, frames: Tensor, num_frames: Tensor) -> Tensor:
        return self._run(frames, pooling.frame_mask(num_frames, frames), None)[0]

    def stream(
        self, frames: Tensor, state: QRNNStream | None = None, num_frames: Tensor | None = None
    ) -> tuple[Tensor, QRNNStream]:
        """The embedding of all frames so far, for videos that arrive in chunks.

        After the last chunk it equals `forward` of the whole video, however the video was cut. The state is
        returned, not kept in the encoder. Gradients flow through it: on an endless stream, call this under
        torch.inference_mode().

        Args:
            frames: (B, T, input_dim), the next T >= 0 frames of B videos.
            state: returned by the previous call; None at the start.
            num_frames: (B,) integers in [0, T], the valid frames of this chunk; None: all T.

        Returns:
            The embedding (B, dim) of everything up to here, and the state for the next call.

        Raises:
            ValueError: a bidirectional net, which must see the end first; wrong shapes.
        """
        if self.config.bidirectional:
            raise ValueError("a bidirectional QRNN also reads from the end, so it cannot stream")
        self.check_input(frames)
        if num_frames is None:
            num_frames = torch.full((len(frames),), frames.shape[1], device=frames.device)
        mask = pooling.frame_mask(num_frames, frames)
        states, layers = self._run(frames, mask, None if state is None else state.layers)
        # Half precision would stop counting after some hundred frames of a long stream.
        wide = states.float() if states.dtype in HALF else states
        kind = self.config.pooling
        before = pooling.nothing_yet(kind, wide) if state is None else state.pooled
        weight = self.pool.weight if isinstance(self.pool, pooling.AttentionPooling) else None
        pooled = pooling.add(kind, before, wide, mask, weight)
        so_far = pooling.result(kind, pooled).to(states.dtype)
        embedding: Tensor = self.dropout(self.project(so_far))
        return embedding, QRNNStream(layers, pooled)

    def _run(
        self, x: Tensor, mask: Tensor, before: tuple[QRNNState, ...] | None
    ) -> tuple[Tensor, tuple[QRNNState, ...]]:
        """What the last layer gives for every frame, and the states of the forward layers."""
        after: list[QRNNState] = []
        for index, layer in enumerate(self.layers):
            output, state = layer(x, mask, None if before is None else before[index])
            after.append(state)
            if index + 1 < len(self.layers):
                between = self.between(output)
                x = torch.cat([x.to(output.dtype), between], dim=2) if self.config.dense else between
        return output, tuple(after)


class _BothWays(nn.Module):
    """A layer in both directions over the same frames, concatenated; the state is that of `ahead`."""

    def __init__(self, ahead: QRNNLayer, back: QRNNLayer) -> None:
        super().__init__()
        self.ahead, self.back = ahead, back

    def forward(self, x: Tensor, mask: Tensor, state: QRNNState | None) -> tuple[Tensor, QRNNState]:
        output, after = self.ahead(x, mask, state)
        return torch.cat([output, self.back(x, mask, state)[0]], dim=2), after


def _layers(config: QRNNConfig) -> nn.ModuleList:
    layers, inputs = nn.ModuleList(), config.input_dim
    for size, window in zip(config.sizes, config.windows, strict=True):
        options = (inputs, size, window, config.gates, config.zoneout, config.forget_bias)
        ahead = QRNNLayer(*options)
        layers.append(_BothWays(ahead, QRNNLayer(*options, reverse=True)) if config.bidirectional else ahead)
        output = config.directions * size
        inputs = inputs + output if config.dense else output
    return layers
