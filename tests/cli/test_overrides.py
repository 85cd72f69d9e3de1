"""`compress train --set KEY=VALUE`: values are JSON, or else words."""

from __future__ import annotations

import pytest

from compress.errors import UsageError
from compress.jobs.train import recipe_changes


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
    assert recipe_changes((setting,), 5, {}) == {"seed": 5, key: value}


@pytest.mark.parametrize("setting", ["dropout", "=0.2", ""])
def test_what_is_no_setting_is_refused(setting: str):
    with pytest.raises(UsageError, match="--set"):
        recipe_changes((setting,), 5, {})


def test_a_named_option_goes_before_set():
    changes = recipe_changes(("epochs=3", "batch_size=64"), 5, {"epochs": 7, "quantize": None})
    assert changes == {"seed": 5, "epochs": 7, "batch_size": 64}
