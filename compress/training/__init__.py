"""Fitting encoders: recipes, the loop, and the runs that come out of it."""

from compress.training.config import TrainConfig as TrainConfig
from compress.training.loop import TrainResult as TrainResult
from compress.training.loop import train as train
from compress.training.recipes import CLOSED_FORM as CLOSED_FORM
from compress.training.recipes import default_encoder as default_encoder
from compress.training.recipes import train_config as train_config
from compress.training.run import load_model as load_model
