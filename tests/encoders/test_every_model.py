"""Every encoder with every head: trained a step, saved, loaded."""

from __future__ import annotations

import itertools
import json

import pytest
import torch
from safetensors.torch import load, save

from encoders import build_model, list_encoders, list_heads, model_config
from tests.encoders.examples import model_inputs_for, small_model

every_pair = pytest.mark.parametrize(("name", "head"), list(itertools.product(list_encoders(), list_heads())))


@every_pair
@pytest.mark.parametrize("autocast", [False, True], ids=["fp32", "bf16"])
def test_a_training_step_gives_finite_weights_that_moved(name: str, head: str, autocast: bool) -> None:
    model = small_model(name, head)
    inputs = model_inputs_for(model, 8)
    labels = torch.rand(8, 5, generator=torch.Generator().manual_seed(1)) < 0.4
    before = {key: value.clone() for key, value in model.named_parameters()}
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for _ in range(2):  # where the head starts at zero, the first step moves the head alone
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            loss = model.loss(inputs, labels) + model.penalty()
        assert torch.isfinite(loss)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    for key, value in model.named_parameters():
        assert torch.isfinite(value).all(), key
        assert not torch.equal(value, before[key]), key
    assert torch.isfinite(model.eval()(inputs)).all()


@every_pair
def test_a_model_saved_and_loaded_scores_the_same(name: str, head: str) -> None:
    model = small_model(name, head)
    inputs = model_inputs_for(model, 8)
    model(inputs)  # moves the running statistics
    weights = save({key: value.contiguous() for key, value in model.state_dict().items()})
    restored = build_model(model_config(json.loads(json.dumps(model.config.to_dict()))))
    restored.load_state_dict(load(weights))
    assert restored.config == model.config
    assert torch.equal(restored.eval()(inputs), model.eval()(inputs))


@every_pair
def test_an_empty_batch_has_no_loss_to_learn_from(name: str, head: str) -> None:
    model = small_model(name, head)
    loss = model.loss(model_inputs_for(model, 0), torch.zeros(0, 5, dtype=torch.bool))
    assert torch.isfinite(loss)
