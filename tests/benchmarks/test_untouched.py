"""A rival computes with torch's own settings, whatever ours have set; ours stand again afterwards."""

from __future__ import annotations

import pytest
import torch

from benchmarks.untouched import untouched


@pytest.fixture(autouse=True)
def _ours():
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    yield
    torch.set_float32_matmul_precision(before)


def test_the_rival_sees_the_setting_that_torch_starts_with():
    assert untouched(torch.get_float32_matmul_precision)() == "highest"
    assert torch.get_float32_matmul_precision() == "medium"


def test_ours_stand_again_after_an_error():
    def fails() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        untouched(fails)()
    assert torch.get_float32_matmul_precision() == "medium"
