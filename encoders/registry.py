"""Encoders by name."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from encoders.encoder import Encoder, EncoderConfig, Level
from encoders.options import config_from

B = TypeVar("B")
S = TypeVar("S")


class NamedClasses(Generic[B]):
    """Classes by name; `kind` ("encoder") is for messages."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, tuple[type[B], type[Any]]] = {}

    def register(self, name: str, config_class: type[Any]) -> Callable[[type[S]], type[S]]:
        """Class decorator; ValueError if the name is taken."""

        def add(member: type[S]) -> type[S]:
            if name in self._entries:
                taken = self._entries[name][0].__name__
                raise ValueError(f"{self.kind} {name!r} is registered twice: {taken} and {member.__name__}")
            self._entries[name] = (member, config_class)  # type: ignore[assignment]
            return member

        return add

    def names(self) -> list[str]:
        """Registered names, sorted."""
        return sorted(self._entries)

    def find(self, name: str) -> tuple[type[B], type[Any]]:
        """(class, config class) of `name`; ValueError listing the names when there is none."""
        if name not in self._entries:
            close = difflib.get_close_matches(name, self.names(), n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise ValueError(f"no {self.kind} {name!r}; there are {', '.join(self.names())}{hint}")
        return self._entries[name]


E = TypeVar("E", bound=Encoder)

_ENCODERS: NamedClasses[Encoder] = NamedClasses("encoder")


def register(name: str, config_class: type[EncoderConfig]) -> Callable[[type[E]], type[E]]:
    """Class decorator that registers an encoder as `name`; ValueError if the name is taken."""
    return _ENCODERS.register(name, config_class)


def list_encoders() -> list[str]:
    """Names of all encoders, sorted."""
    return _ENCODERS.names()


def encoder_level(name: str) -> Level:
    """What the encoder reads: "video" or "frame"."""
    return _ENCODERS.find(name)[0].level


def encoder_title(name: str, options: Mapping[str, Any], dim: int) -> str:
    """Name of an encoder in reports: "BiLSTM 2 x 2048, last state"; missing options are left out.

    An encoder that is not registered here, or has no title, is called by `name` and `dim`.
    """
    known = _ENCODERS.find(name)[0] if name in list_encoders() else Encoder
    return known.titled(options, dim) or f"{name} {dim}"


def config_class(name: str) -> type[EncoderConfig]:
    """The frozen dataclass of the encoder's options."""
    return _ENCODERS.find(name)[1]


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
