"""Settings that follow the number of videos: the recipes of preset `best` were tuned on 23,091.

There an epoch has about 80 steps of 256 videos. With fewer videos batches get smaller, and an epoch visits
each video several times; with more, the rise of the rate and the average of the weights get longer.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from typing import Any

from compress.datasets.batches import batches_per_epoch, visits_of_few
from compress.training.config import TrainConfig
from compress.training.set_aside import count_set_aside, usual_share
from encoders import config_class, list_encoders

LEAST_STEPS = 80
_LEAST_BATCHES = 8  # in one pass over few videos, unless they get smaller than
_SMALLEST_BATCH = 16  # since batch norm needs some videos
_RISE, _LONGEST_RISE = 0.61, 1000  # epochs and steps
_AVERAGED, _LONGEST_AVERAGE = 1.2, 2000  # epochs and steps that the average of the weights looks back
_MOST_STEPS, _LEAST_LIMIT = 200_000, 10  # the limit of epochs is what gives so many steps, or so many epochs
_EPOCHS_OF_FEW = 10  # where no video can be spared to tell when to stop
_MOMENTUM = "norm_momentum"


def scaled(config: TrainConfig, videos: int, given: Collection[str] = ()) -> TrainConfig:
    """A recipe of preset `best`, tuned on 23,091 videos, for another number of them.

    Args:
        config: the recipe of an encoder that is trained.
        videos: for training, with those that will be set aside.
        given: names of settings that were chosen by hand, and stay.
    """
    if config.set_aside:  # the same videos as judges, whatever their number
        config = _with(config, {"set_aside": usual_share(videos)}, given)
    aside = count_set_aside(videos, config.set_aside)
    trained, tuned = max(videos - aside, 1), config.batch_size
    few = 2 ** max(0, (trained // _LEAST_BATCHES).bit_length() - 1)
    batch = min(tuned, max(_SMALLEST_BATCH, few))
    # Who says how many epochs there are means passes over the data.
    least = 0 if "epochs" in given else LEAST_STEPS
    config = _with(config, {"batch_size": batch, "least_steps": least}, given)
    visits = visits_of_few(trained, config.batch_size, config.least_steps)
    steps = batches_per_epoch(trained, config.batch_size, visits)

    values: dict[str, Any] = {"warmup_steps": _between(1, _RISE * steps, _LONGEST_RISE)}
    if config.ema:
        averaged = _between(round(1 / (1 - config.ema)), _AVERAGED * steps, _LONGEST_AVERAGE)
        values["ema"] = round(1 - 1 / averaged, 6)
    if config.schedule == "constant":
        limit = max(_LEAST_LIMIT, math.ceil(_MOST_STEPS / steps))
        values["epochs"] = min(config.epochs, limit if aside or not config.set_aside else _EPOCHS_OF_FEW)
        values["warm_epochs"] = min(config.warm_epochs, values["epochs"] - 1)
        if not aside and config.set_aside:
            values |= {"keep": "last", "patience": 0}
    if config.encoder in list_encoders() and config.batch_size < tuned:
        values |= _momentum(config, steps, config.batch_size / tuned)
    return _with(config, values, given)


def _between(least: int, wanted: float, most: int) -> int:
    return max(least, min(round(wanted), most))


def _momentum(config: TrainConfig, steps: int, share: float) -> Mapping[str, float]:
    """Batch norm's, so that its statistics are of as many videos as with whole batches, or of an epoch."""
    defaults = {field.name: field.default for field in fields(config_class(config.encoder))}
    if _MOMENTUM not in defaults:
        return {}
    whole = config.encoder_options.get(_MOMENTUM, defaults[_MOMENTUM])
    return {_MOMENTUM: round(min(max(whole * share, 1 / steps), whole), 6)}


def _with(config: TrainConfig, values: Mapping[str, Any], given: Collection[str]) -> TrainConfig:
    free = {name: value for name, value in values.items() if name not in given}
    options = {name: free.pop(name) for name in (_MOMENTUM,) if name in free}
    if "epochs" in given and "warm_epochs" in free:
        free["warm_epochs"] = min(free["warm_epochs"], config.epochs - 1)
    return replace(config, encoder_options={**config.encoder_options, **options}, **free)
