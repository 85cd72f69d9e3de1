"""What a quantised training shows its heads is what the codec of that name gives back afterwards."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from compress.codecs import Codec
from compress.codecs.names import FAMILIES
from encoders.quantizers import QUANTIZERS, build_quantizer


def embeddings(seed: int, rows: int = 4000) -> np.ndarray:
    """Normally distributed, each dimension with a mean and deviation of its own; one is constant."""
    random = np.random.default_rng(seed)
    x = random.standard_normal((rows, 4)) * [1.0, 0.2, 5.0, 0.0] + [0.0, 3.0, -1.0, 0.5]
    return x.astype(np.float32)


@pytest.mark.parametrize(
    # Between levels that lie a little differently, numbers round differently: two errors apart at the most.
    ("kind", "apart"),
    [("int8", 1.8), ("int4", 1.8), ("binary", 0.3)],
)
def test_head_and_codec_see_nearly_the_same_numbers(kind: str, apart: float) -> None:
    quantizer = build_quantizer(kind, 4).train()
    for seed in range(1, 60):
        quantizer(torch.from_numpy(embeddings(seed, 500)))
    x = embeddings(0)
    codec = Codec.fit(kind, x)
    read = quantizer.eval()(torch.from_numpy(x)).numpy()
    stored = codec.decode(codec.encode(x))
    between, ours, theirs = (
        np.sqrt(np.square(a - b).mean(axis=0)) for a, b in ((read, stored), (read, x), (stored, x))
    )
    assert (between <= apart * theirs + 1e-6).all()
    np.testing.assert_allclose(ours, theirs, rtol=0.25, atol=1e-6)


def test_what_training_can_expect_are_codecs_and_what_the_command_line_offers():
    from cli.train import train

    offered = next(option.type.choices for option in train.params if option.name == "quantize")
    assert set(QUANTIZERS) <= set(FAMILIES)
    assert tuple(offered) == ("none", *QUANTIZERS)
