"""What holds for every registered encoder, also for those registered tomorrow.

test_every_frame_encoder.py has what is about frames, test_every_model.py what is about heads and saving.
"""

from __future__ import annotations

import copy
import dataclasses
import json
from typing import Any

import pytest
import torch

from encoders import ModelConfig, build_encoder, build_model, config_class, list_encoders
from encoders.input_norm import InputNormConfig
from tests.encoders.examples import inputs_for, small_encoder, small_options

every_encoder = pytest.mark.parametrize("name", list_encoders())


@every_encoder
@pytest.mark.parametrize("batch", [0, 1, 5])
@pytest.mark.parametrize("training", [False, True])
def test_shapes_and_an_empty_batch(name: str, batch: int, training: bool) -> None:
    encoder = small_encoder(name).train(training)
    embedding = encoder(*inputs_for(encoder, batch))
    assert embedding.shape == (batch, encoder.dim) == (batch, 16)
    assert torch.isfinite(embedding).all()


@every_encoder
def test_evaluation_is_deterministic_and_draws_no_random_numbers(name: str) -> None:
    encoder = small_encoder(name)
    inputs = inputs_for(encoder, 5)
    torch.manual_seed(3)
    before = torch.get_rng_state()
    first = encoder(*inputs)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(encoder(*inputs), first)


RANDOM_IN_TRAINING = ("dropout", "zoneout", "noise")


def with_randomness(options: Any, value: float) -> Any:
    """Options, also those of encoders within, with every dropout, zoneout and noise set."""
    if isinstance(options, list | tuple):
        return [with_randomness(item, value) for item in options]
    if not isinstance(options, dict):
        return options
    return {
        key: value if any(word in key for word in RANDOM_IN_TRAINING) else with_randomness(inner, value)
        for key, inner in options.items()
    }


@every_encoder
def test_what_is_random_in_training_does_nothing_in_evaluation(name: str) -> None:
    options = dataclasses.asdict(small_encoder(name).config)
    torch.manual_seed(0)
    sure = build_encoder(name, with_randomness(options, 0.0)).eval()
    random = build_encoder(name, with_randomness(options, 0.5)).eval()
    random.load_state_dict(sure.state_dict())
    inputs = inputs_for(sure, 5)
    assert torch.equal(random(*inputs), sure(*inputs))
    if random.config == sure.config:
        return  # it has no such option
    random.train()
    torch.manual_seed(1)
    first = random.forward_training(*inputs).embedding
    assert not torch.equal(random.forward_training(*inputs).embedding, first), "the options were not heard"


@every_encoder
def test_evaluation_gives_the_same_with_and_without_gradients(name: str) -> None:
    encoder = small_encoder(name)
    inputs = inputs_for(encoder, 5)
    expected = encoder(*inputs)
    for mode in (torch.no_grad(), torch.inference_mode()):
        with mode:
            torch.testing.assert_close(encoder(*inputs), expected, atol=1e-6, rtol=1e-6)


@every_encoder
def test_a_call_in_evaluation_leaves_nothing_behind(name: str) -> None:
    encoder = small_encoder(name)
    inputs, state = inputs_for(encoder, 5), copy.deepcopy(encoder.state_dict())
    expected = encoder(*inputs)
    for batch, frames in ((3, 11), (5, 7), (0, 2), (1, 1)):
        encoder(*inputs_for(encoder, batch, frames, seed=9))
        assert torch.equal(encoder(*inputs), expected)
    assert all(torch.equal(value, state[key]) for key, value in encoder.state_dict().items())


@every_encoder
def test_a_call_in_training_leaves_nothing_behind_but_the_state_dict(name: str) -> None:
    encoder = small_encoder(name).train()
    state = copy.deepcopy(encoder.state_dict())
    results = []
    for _ in range(2):
        encoder.load_state_dict(state)
        torch.manual_seed(3)
        results.append(encoder(*inputs_for(encoder, 5)))
        encoder(*inputs_for(encoder, 4, frames=11, seed=9))
    assert torch.equal(*results)


@every_encoder
@pytest.mark.parametrize("bf16", [False, True])
def test_other_videos_in_a_batch_of_one_shape_change_no_bit(name: str, bf16: bool) -> None:
    encoder = small_encoder(name)
    inputs, others = inputs_for(encoder, 6), inputs_for(encoder, 6, seed=2)
    others[0][4] = inputs[0][4]
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        assert torch.equal(encoder(*inputs)[4], encoder(*others)[4])


@every_encoder
def test_another_shape_of_the_batch_changes_no_more_than_the_rounding_of_bf16(name: str) -> None:
    encoder = small_encoder(name)
    inputs = inputs_for(encoder, 6)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        together = encoder(*inputs).float()
        for row in range(6):
            own = [value[row : row + 1] for value in inputs]
            if len(own) == 2:
                own[0] = own[0][:, : int(own[1])]
            error = (encoder(*own).float()[0] - together[row]).abs().max()
            assert error <= 0.016 * together[row].abs().max()  # as docs/guides/encoders.md says


@every_encoder
def test_a_video_does_not_depend_on_its_batch_mates(name: str) -> None:
    encoder = small_encoder(name)
    inputs = inputs_for(encoder, 6)
    together = encoder(*inputs)
    for row in range(6):
        alone = encoder(*(value[row : row + 1] for value in inputs))
        torch.testing.assert_close(alone[0], together[row], atol=1e-6, rtol=1e-6)


@every_encoder
def test_gradients_reach_every_parameter(name: str) -> None:
    encoder = small_encoder(name).train()
    output = encoder.forward_training(*inputs_for(encoder, 8))
    total = torch.zeros(()) if output.loss is None else output.loss
    generator = torch.Generator().manual_seed(2)
    for embedding in (output.embedding, *output.sides.values()):
        total = total + (embedding * torch.randn(embedding.shape, generator=generator)).sum()
    if not list(encoder.parameters()):
        return
    total.backward()
    for parameter_name, parameter in encoder.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert torch.isfinite(parameter.grad).all(), parameter_name
        assert parameter.grad.abs().sum() > 0, parameter_name


@every_encoder
def test_a_training_step_computes_the_embedding_of_the_forward_pass_and_the_promised_sides(name: str) -> None:
    encoder = small_encoder(name)
    inputs = inputs_for(encoder, 8)
    output = encoder.forward_training(*inputs)
    assert torch.equal(output.embedding, encoder(*inputs))
    assert {side: tuple(value.shape) for side, value in output.sides.items()} == {
        side: (8, dim) for side, dim in encoder.side_dims.items()
    }
    assert set(encoder.loss_weights) == {"embedding", *encoder.side_dims}


@every_encoder
def test_the_state_dict_holds_everything(name: str) -> None:
    trained, fresh = small_encoder(name).train(), build_encoder(name, small_options(name)).eval()
    inputs = inputs_for(trained, 8)
    trained(*inputs)  # moves the running statistics
    fresh.load_state_dict(trained.eval().state_dict())
    assert torch.equal(fresh(*inputs), trained(*inputs))


@every_encoder
def test_bfloat16_autocast_stays_close_and_trains(name: str) -> None:
    encoder = small_encoder(name)
    inputs = inputs_for(encoder, 5)
    exact = encoder(*inputs).detach()
    with torch.autocast("cpu", torch.bfloat16):
        rough = encoder(*inputs)
    assert (rough.float() - exact).norm() < 0.05 * exact.norm()
    if rough.requires_grad:
        rough.float().square().sum().backward()
        assert all(torch.isfinite(p.grad).all() for p in encoder.parameters() if p.grad is not None)


@every_encoder
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_weights_give_finite_embeddings(name: str, dtype: torch.dtype) -> None:
    encoder = small_encoder(name).to(dtype)
    inputs = inputs_for(encoder, 3)
    embedding = encoder(inputs[0].to(dtype), *inputs[1:])
    assert embedding.dtype == dtype
    assert torch.isfinite(embedding).all()


@every_encoder
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.uint8])
def test_a_model_takes_features_of_any_precision(name: str, dtype: torch.dtype) -> None:
    norm = InputNormConfig(dim=16)
    model = build_model(ModelConfig(name, 5, small_options(name), input_norm=norm)).eval()
    model = model.double() if dtype == torch.float64 else model
    features, *rest = inputs_for(model.encoder, 3)
    features = torch.randint(0, 256, features.shape).to(dtype) if dtype == torch.uint8 else features.to(dtype)
    inputs = (features, rest[0]) if rest else features
    logits = model(inputs)
    assert logits.shape == (3, 5)
    assert torch.isfinite(logits).all()
    assert logits.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)


@every_encoder
def test_the_config_survives_json_and_builds_the_same_encoder(name: str) -> None:
    config = small_encoder(name).config
    values = json.loads(json.dumps(dataclasses.asdict(config)))
    assert build_encoder(name, values).config == config == build_encoder(name, config).config


@every_encoder
def test_every_option_is_documented(name: str) -> None:
    documented = "".join(cls.__doc__ or "" for cls in config_class(name).__mro__)
    missing = [f.name for f in dataclasses.fields(config_class(name)) if f"{f.name}: " not in documented]
    assert not missing


@every_encoder
def test_wrong_input_shapes_are_refused(name: str) -> None:
    encoder = small_encoder(name)
    first, *rest = inputs_for(encoder, 2)
    for wrong in (first[..., :-1], first[0], first[None]):
        with pytest.raises(ValueError, match="input_dim = 16"):
            encoder(wrong, *rest)
