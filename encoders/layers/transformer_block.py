"""One pre-norm Transformer block: self-attention over the valid frames, then a feed-forward layer.

Source: Vaswani et al., Attention Is All You Need (2017), section 3. The norms are before each part, not
after it, as in Xiong et al., On Layer Normalization in the Transformer Architecture (2020).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from encoders.layers.dropout import Dropout
from encoders.layers.fully_connected import linear

LONGEST_WAVE = 10_000.0  # times 2 pi frames


def sinusoids(frames: int, width: int, device: torch.device) -> Tensor:
    """(T, width) float32: row t is sin(t * f), then cos(t * f), for f from 1 down to 1 / LONGEST_WAVE."""
    half = width // 2
    exponents = torch.arange(half, dtype=torch.float32, device=device) / half
    times = torch.arange(frames, dtype=torch.float32, device=device)
    phases = times[:, None] * LONGEST_WAVE**-exponents
    return torch.cat([torch.sin(phases), torch.cos(phases)], dim=1)


class TransformerBlock(nn.Module):
    """x + dropout(attention(norm(x))), then x + dropout(feed_forward(norm(x))); `heads` divides `width`."""

    def __init__(self, width: int, heads: int, feed_forward: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm, self.feed_forward_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = SelfAttention(width, heads)
        self.feed_forward = nn.Sequential(linear(width, feed_forward), nn.GELU(), linear(feed_forward, width))
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        """(B, T, width), (B, T) bool: the frames that may be attended to -> (B, T, width)."""
        x = x + self.dropout(self.attention(self.attention_norm(x), seen))
        return x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))


class SelfAttention(nn.Module):
    """Every frame attends to all frames that are `seen`.

    Queries, keys and values have no biases: softmax cancels a key's bias, so it would never learn.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_heads = nn.Linear(width, 3 * width, bias=False)
        nn.init.xavier_uniform_(self.to_heads.weight)
        self.from_heads = linear(width, width)

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        """(B, T, width), (B, T) bool with at least one frame seen in each video -> (B, T, width)."""
        batch, frames, width = x.shape
        split = self.to_heads(x).view(batch, frames, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        found = F.scaled_dot_product_attention(query, key, value, attn_mask=seen[:, None, None])
        return self.from_heads(found.transpose(1, 2).reshape(batch, frames, width))
