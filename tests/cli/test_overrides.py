"""`compress train --set KEY=VALUE`: values are JSON, or else words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compress.errors import UsageError
from compress.jobs.train import TrainRequest, overrides

REQUEST = TrainRequest(
    dim=320,
    encoder=None,
    preset="best",
    epochs=None,
    batch_size=None,
    learning_rate=None,
    settings=(),
    name=None,
    train=(),
    validate=(),
    num_classes=None,
    fresh=False,
    on_corrupt="fail",
    seed=5,
    threads=0,
    device="cpu",
)


@pytest.mark.parametrize(
    ("setting", "key", "value"),
    [
        ("dropout=0.2", "dropout", 0.2),
        ("pooling=max", "pooling", "max"),
        ('pooling="max"', "pooling", "max"),
        ("layers=[1280,640]", "layers", [1280, 640]),
        ("class_priors=false", "class_priors", False),
        (" ema = 0.9 ", "ema", 0.9),
        ("text=a=b", "text", "a=b"),
        ("empty=", "empty", ""),
    ],
)
def test_a_setting_is_read(setting: str, key: str, value: object):
    assert overrides(replace(REQUEST, settings=(setting,))) == {"seed": 5, key: value}


@pytest.mark.parametrize("setting", ["dropout", "=0.2", ""])
def test_what_is_no_setting_is_refused(setting: str):
    with pytest.raises(UsageError, match="--set"):
        overrides(replace(REQUEST, settings=(setting,)))


def test_a_named_option_goes_before_set():
    request = replace(REQUEST, settings=("epochs=3", "batch_size=64"), epochs=7)

    assert overrides(request) == {"seed": 5, "epochs": 7, "batch_size": 64}
