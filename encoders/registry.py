"""Encoders by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from encoders.encoder import Encoder, EncoderConfig, Level
from encoders.named_classes import NamedClasses
from encoders.options import config_from

E = TypeVar("E", bound=Encoder)

_ENCODERS: NamedClasses[Encoder] = NamedClasses("encoder")


def register(name: str, config_class: type[EncoderConfig]) -> Callable[[type[E]], type[E]]:
    """Class decorator that makes an encoder known under `name`; a name that is taken raises ValueError."""
    return _ENCODERS.register(name, config_class)


def list_encoders() -> list[str]:
    """Names of all encoders, sorted."""
    return _ENCODERS.names()


def encoder_level(name: str) -> Level:
    """What the encoder reads: "video" or "frame"."""
    return _ENCODERS.find(name)[0].level


def config_class(name: str) -> type[EncoderConfig]:
    """The frozen dataclass of the encoder's options."""
    found: type[EncoderConfig] = _ENCODERS.find(name)[1]
    return found


def build_encoder(name: str, config: Mapping[str, Any] | EncoderConfig) -> Encoder:
    """A new encoder with random weights (torch's global generator).

    Args:
        name: one of `list_encoders()`.
        config: options by name, or the encoder's own config dataclass.

    Raises:
        ValueError: unknown encoder (lists them), unknown option (lists them), value out of range.
    """
    encoder_class, wanted = _ENCODERS.find(name)
    return encoder_class(config_from(wanted, config, f"encoder {name!r}"))
