"""Float32 products by another library: as exact, one setting a process, and easy to switch off."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from encoders import ModelConfig, build_model, torch_settings
from encoders.torch_settings import exact_products


@pytest.fixture
def untouched() -> Iterator[None]:
    """As in a fresh process, and afterwards as before."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    torch_settings._switch.cache_clear()
    yield
    torch_settings._switch.cache_clear()
    torch.set_float32_matmul_precision(before)


@pytest.mark.usefixtures("untouched")
def test_products_keep_the_error_of_float32_whether_switched_or_not() -> None:
    assert exact_products()
    torch_settings.fast_float32_products()
    assert exact_products()
    x, w = torch.randn(3, 200, 300), torch.randn(3, 300, 150)
    wanted = x.double() @ w.double()
    assert ((torch.bmm(x, w) - wanted).norm() / wanted.norm()) < 1e-6


@pytest.mark.usefixtures("untouched")
def test_products_that_turn_out_inexact_are_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_settings, "exact_products", lambda: False)
    assert not torch_settings.fast_float32_products()
    assert torch.get_float32_matmul_precision() == "highest"


@pytest.mark.usefixtures("untouched")
def test_a_setting_that_somebody_made_stays() -> None:
    torch.set_float32_matmul_precision("high")
    assert not torch_settings.fast_float32_products()
    assert torch.get_float32_matmul_precision() == "high"


@pytest.mark.usefixtures("untouched")
def test_a_gpu_keeps_its_products_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert not torch_settings.fast_float32_products()
    assert torch.get_float32_matmul_precision() == "highest"


def test_the_measuring_notices_factors_of_a_shorter_type(monkeypatch: pytest.MonkeyPatch) -> None:
    product = torch.bmm

    def short(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        return product(x.bfloat16().float(), w.bfloat16().float())

    monkeypatch.setattr(torch, "bmm", short)
    assert not exact_products()


def test_it_leaves_the_random_numbers_of_a_run_and_the_default_device_alone() -> None:
    torch.manual_seed(3)
    wanted = torch.rand(1)
    torch.manual_seed(3)
    with torch.device("meta"):
        assert exact_products()
    assert torch.equal(torch.rand(1), wanted)


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("switch", ["off", "0", ""])
def test_a_model_is_built_after_the_switch_unless_it_is_off(
    monkeypatch: pytest.MonkeyPatch, switch: str
) -> None:
    monkeypatch.setenv("COMPRESS_ONEDNN", switch)
    build_model(ModelConfig("linear", 5))
    switched = torch.get_float32_matmul_precision() == "medium"
    assert switched is (False if switch else torch_settings.fast_float32_products())
