"""The switch between methods of convolution, and the transformed weights that evaluation keeps."""

from __future__ import annotations

import copy
import io

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from encoders import build_encoder
from encoders.layers.convolution.positions import Convolution, set_convolution_method
from tests.encoders.examples import small_encoder


def convolution(inputs: int = 6, outputs: int = 5) -> Convolution:
    torch.manual_seed(0)
    layer = Convolution(inputs, outputs, 9, dilation=3).eval()
    set_convolution_method(layer, "dft")
    return layer


def by_definition(layer: Convolution, x: Tensor) -> Tensor:
    """Always from the weights as they are now."""
    return nn.Conv1d.forward(layer, x.permute(1, 2, 0)).permute(2, 0, 1)


def kept(layer: Convolution, x: Tensor) -> Tensor | None:
    with torch.no_grad():
        layer(x)
    return None if layer._kept is None else layer._kept.spectrum


@pytest.mark.parametrize("dim", [16, 37, 64])
@pytest.mark.parametrize("batch", [0, 1, 3])
def test_all_methods_give_the_same_embeddings_and_gradients(dim: int, batch: int) -> None:
    encoder = small_encoder("residual_cnn", dim=dim, width=1 / 16).double().train()
    features = torch.randn(batch, 16, dtype=torch.float64)
    found = {}
    for method in ("direct", "image", "dft"):
        set_convolution_method(encoder, method)
        encoder.zero_grad()
        embedding = encoder(features)
        embedding.square().sum().backward()
        found[method] = [embedding.detach(), *(p.grad for p in encoder.parameters())]
    for wanted, *others in zip(*found.values(), strict=True):
        for other in others:
            torch.testing.assert_close(other, wanted, rtol=1e-10, atol=1e-10)


def test_the_full_width_in_float32() -> None:
    encoder = build_encoder("residual_cnn", {"dim": 40}).eval()
    features = torch.randn(2, 1152)
    found = {}
    with torch.inference_mode():
        for method in ("direct", "image", "dft", "auto"):
            set_convolution_method(encoder, method)
            found[method] = encoder(features)
    for method in ("image", "dft", "auto"):
        assert (found[method] - found["direct"]).norm() < 1e-5 * found["direct"].norm()


def test_auto_takes_wide_layers_on_a_cpu_by_tiles_and_the_rest_directly() -> None:
    encoder = build_encoder("residual_cnn", {"dim": 320})
    by_tiles = {
        (layer.in_channels, layer.out_channels, layer.kernel_size[0])
        for layer in encoder.modules()
        if isinstance(layer, Convolution)
        and layer.kernel_size[0] > 1
        and layer._chosen(torch.empty(1, 1, 1)) == "dft"
    }
    pairs = [(128, 256), (128, 192), (256, 512), (512, 128), (512, 256), (320, 512), (512, 320)]
    assert by_tiles == {(inputs, outputs, 9) for inputs, outputs in pairs}
    wide = Convolution(128, 128, 9)
    assert wide._chosen(torch.empty(1, 1, 128, device="meta")) == "image"
    assert wide._chosen(torch.empty(1, 1, 128, dtype=torch.float16)) == "direct"
    assert Convolution(64, 128, 9)._chosen(torch.empty(1, 1, 64)) == "direct"


def test_tiles_take_less_than_half_of_the_multiplications() -> None:
    encoder = build_encoder("residual_cnn", {"dim": 64}).eval()
    counts = {}
    for method in ("direct", "dft"):
        set_convolution_method(encoder, method)
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            encoder(torch.randn(8, 1152))
        counts[method] = counter.get_total_flops()
    assert counts["dft"] < 0.5 * counts["direct"]


def test_the_method_is_not_part_of_a_checkpoint() -> None:
    encoder, other = (small_encoder("residual_cnn", width=1.0) for _ in range(2))
    set_convolution_method(encoder, "dft")
    with torch.no_grad():
        encoder(torch.randn(2, 16))
    assert encoder.state_dict().keys() == other.state_dict().keys()
    assert encoder.state_dict()["cnn.3.layers.0.weight"].shape == (128, 64, 9)
    other.load_state_dict(encoder.state_dict())


def test_evaluation_keeps_the_transformed_weight() -> None:
    layer, x = convolution(), torch.randn(20, 2, 6)
    assert kept(layer, x) is kept(layer, x) is not None


def write_in_place(layer: Convolution) -> None:
    with torch.no_grad():
        layer.weight.mul_(2)


def write_through_data(layer: Convolution) -> None:
    layer.weight.data[0, 0, 0] += 1


def write_through_numpy(layer: Convolution) -> None:
    layer.weight.detach().numpy()[0, 0, 0] += 1


def load_a_checkpoint(layer: Convolution) -> None:
    layer.load_state_dict({k: v + 1 for k, v in layer.state_dict().items()})


def replace_the_parameter(layer: Convolution) -> None:
    layer.weight = nn.Parameter(layer.weight.detach() + 1)


def step_of_an_optimizer(layer: Convolution) -> None:
    layer.weight.grad = torch.ones_like(layer.weight)
    torch.optim.SGD(layer.parameters(), lr=0.1).step()


def convert(layer: Convolution) -> None:
    layer.double().float().weight.data.neg_()


@pytest.mark.parametrize(
    "change",
    [
        write_in_place,
        write_through_data,
        write_through_numpy,
        load_a_checkpoint,
        replace_the_parameter,
        step_of_an_optimizer,
        convert,
    ],
)
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_a_kept_weight_never_goes_stale(change: object, mode: object) -> None:
    layer, x = convolution(), torch.randn(20, 2, 6)
    with mode():
        layer(x)
    change(layer)
    with mode():
        torch.testing.assert_close(layer(x), by_definition(layer, x), rtol=1e-5, atol=1e-5)


def test_another_length_or_type_is_transformed_anew() -> None:
    layer = convolution()
    with torch.no_grad():
        for length in (20, 50, 7):
            x = torch.randn(length, 2, 6)
            torch.testing.assert_close(layer(x), by_definition(layer, x), rtol=1e-5, atol=1e-5)
        with torch.autocast("cpu", torch.bfloat16):
            assert layer(x).dtype == torch.bfloat16
        torch.testing.assert_close(layer(x), by_definition(layer, x), rtol=1e-5, atol=1e-5)


def test_training_keeps_nothing_and_drops_what_was_kept() -> None:
    layer, x = convolution(), torch.randn(20, 2, 6)
    assert kept(layer, x) is not None
    assert layer.train()._kept is None
    assert kept(layer, x) is None


def test_a_kept_weight_is_neither_copied_nor_saved() -> None:
    layer, x = convolution(), torch.randn(20, 2, 6)
    assert kept(layer, x) is not None
    assert copy.deepcopy(layer)._kept is None
    file = io.BytesIO()
    torch.save(layer, file)
    file.seek(0)
    loaded = torch.load(file, weights_only=False)
    assert loaded._kept is None
    with torch.no_grad():
        assert torch.equal(loaded(x), layer(x))


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(ValueError, match="must be one of auto, direct, image, dft, not 'fft'"):
        set_convolution_method(convolution(), "fft")
