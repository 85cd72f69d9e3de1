"""What a training is made of: the model it starts with, and one step."""

from __future__ import annotations

import torch
from torch import Tensor

from compress.datasets.schema import FeatureSchema
from compress.errors import UsageError
from compress.training.config import TrainConfig
from compress.training.distillation.lessons import Lesson
from compress.training.inputs import Table, fit_input_norm, input_norm_config
from compress.training.loss_function import LossFunction
from compress.training.optimizer import clip_each
from compress.training.recipes import CLOSED_FORM
from compress.training.state import TrainState
from encoders import Inputs, Model, ModelConfig, build_model


def build(config: TrainConfig, schema: FeatureSchema) -> Model:
    """A model with random weights for videos of a schema; UsageError for wrong options of encoder or head."""
    try:
        model = build_model(
            ModelConfig(
                CLOSED_FORM.get(config.encoder, config.encoder),
                schema.num_classes,
                {**config.encoder_options, "input_dim": schema.dim},
                config.head,
                config.head_options,
                input_norm_config(config.input_norm, schema.dim, bool(config.undo_whitening)),
                config.nested_dims,
                config.quantize,
            )
        )
        if config.warm_epochs:
            model.encoder.set_warm(True)
    except ValueError as error:
        raise UsageError(str(error), where=f"encoder {config.encoder!r}") from error
    return model


def new_model(config: TrainConfig, table: Table) -> Model:
    """A model with random weights, fitted to what the videos look like.

    Args:
        config: the recipe.
        table: the training videos; they give the input norm its statistics and the head its priors.

    Raises:
        UsageError: an option of encoder or head is wrong.
    """
    model = build(config, table.schema)
    fit_input_norm(model.input_norm, config, table)
    if config.class_priors:
        counts = torch.from_numpy(table.labels.class_counts()).double()
        # Half a video more for each class: one that was never seen must not start at minus infinity.
        model.set_class_priors(((counts + 0.5) / (len(table) + 1)).clamp(0, 1))
    return model


def step(
    config: TrainConfig,
    state: TrainState,
    inputs: Inputs,
    labels: Tensor,
    loss_of: LossFunction,
    lesson: Lesson | None = None,
) -> Tensor:
    """One step of the optimiser on a batch; nothing in it waits for a GPU.

    Args:
        config: the recipe.
        state: model and optimiser; the running average is not touched.
        inputs: what the model reads, on its device.
        labels: targets (B, C) there too, bool or floating point in [0, 1] (see `Targets`).
        loss_of: what `loss_function` gives.
        lesson: what teachers add; its videos without labels count as much as those with.

    Returns:
        The loss before the step, a scalar on the device, mean over videos; it may not be finite.
    """
    state.optimizer.zero_grad(set_to_none=True)
    if lesson is None:
        loss = _backward(loss_of(inputs, labels))
    elif lesson.further is None:
        loss = _backward(loss_of(inputs, labels, lesson.log_odds(inputs)))
    else:
        # Two passes, one after the other: in memory is one, and each is of one shape where it is compiled.
        more, log_odds = lesson.further
        share = more.videos / (len(labels) + more.videos)
        loss = _backward((1 - share) * loss_of(inputs, labels, lesson.log_odds(inputs)))
        loss = loss + _backward(share * loss_of(more.inputs, None, log_odds(more.inputs)))
    if config.clip_norm:
        clip_each(state.model, config.clip_norm)
    state.optimizer.step()
    return loss


def _backward(loss: Tensor) -> Tensor:
    """Add to the gradients; the loss without its history."""
    loss.backward()  # type: ignore[no-untyped-call]
    return loss.detach()
