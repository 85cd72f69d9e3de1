"""Bradbury et al. 2016, section 2, one number at a time: what the fast QRNN is compared with.

Nothing here is shared with the encoder but the layout of its weights.
"""

from __future__ import annotations

import math

import numpy as np

Rows = list[list[float]]


def sigmoid(a: float) -> float:
    return 1 / (1 + math.exp(-a))


def slow_pool(kind: str, z: Rows, f: Rows, o: Rows, i: Rows, start: list[float]) -> tuple[Rows, list[float]]:
    """One video (T, H): h of every step and the last c. `o` and `i` are not read where the kind has none."""
    c, h = list(start), []
    for t in range(len(z)):
        for j in range(len(c)):
            taken = i[t][j] if kind == "ifo" else 1 - f[t][j]
            c[j] = f[t][j] * c[j] + taken * z[t][j]
        h.append([c[j] if kind == "f" else o[t][j] * c[j] for j in range(len(c))])
    return h, c


def slow_gate(x: Rows, weight: np.ndarray, bias: np.ndarray, window: int) -> Rows:
    """The convolution of one gate before its nonlinearity: weight (H, window I), oldest frame first."""
    inputs = weight.shape[1] // window
    gate = []
    for t in range(len(x)):
        row = []
        for j in range(len(weight)):
            total = float(bias[j])
            for back in range(window):  # x before the first frame is 0
                if t - back >= 0:
                    for n in range(inputs):
                        total += float(weight[j, (window - 1 - back) * inputs + n]) * x[t - back][n]
            row.append(total)
        gate.append(row)
    return gate


def slow_layer(
    x: Rows, weight: np.ndarray, bias: np.ndarray, window: int, kind: str, start: list[float] | None = None
) -> tuple[Rows, list[float]]:
    """One layer over one video, forward in time; the rows of `weight` are the gates z, f, o, i."""
    count = 1 + len(kind)
    size = len(bias) // count
    gates: dict[str, Rows] = {"o": [], "i": []}
    for number, name in enumerate("zfoi"[:count]):
        rows = slice(number * size, (number + 1) * size)
        act = math.tanh if name == "z" else sigmoid
        gates[name] = [[act(a) for a in row] for row in slow_gate(x, weight[rows], bias[rows], window)]
    return slow_pool(kind, gates["z"], gates["f"], gates["o"], gates["i"], start or [0.0] * size)


def slow_frame_pooling(name: str, ahead: Rows, back: Rows | None, weight: np.ndarray | None) -> list[float]:
    """States of one video -> one vector; `back` is in the order of time, as `ahead` is."""
    both = ahead if back is None else [a + b for a, b in zip(ahead, back, strict=True)]
    columns = list(zip(*both, strict=True))
    if name == "last":
        return ahead[-1] + ([] if back is None else back[0])
    if name == "mean":
        return [sum(column) / len(column) for column in columns]
    if name == "max":
        return [max(column) for column in columns]
    assert weight is not None
    scores = [sum(math.tanh(s) * float(w) for s, w in zip(row, weight[0], strict=True)) for row in both]
    if name == "raw_attention":
        return [math.tanh(sum(p * s for p, s in zip(scores, column, strict=True))) for column in columns]
    powers = [math.exp(score) for score in scores]
    return [
        math.tanh(sum(p * s for p, s in zip(powers, column, strict=True)) / sum(powers)) for column in columns
    ]
