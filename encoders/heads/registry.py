"""Heads by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from encoders.heads.head import Head, HeadConfig
from encoders.options import config_from
from encoders.registry import NamedClasses

H = TypeVar("H", bound=Head)

_HEADS: NamedClasses[Head] = NamedClasses("head")


def register(name: str, config_class: type[HeadConfig]) -> Callable[[type[H]], type[H]]:
    """Class decorator that registers a head as `name`; ValueError if the name is taken."""
    return _HEADS.register(name, config_class)


def list_heads() -> list[str]:
    """Names of all heads, sorted."""
    return _HEADS.names()


def build_head(name: str, dim: int, num_classes: int, options: Mapping[str, Any] | None = None) -> Head:
    """A new head with random weights (torch's global generator).

    Args:
        name: one of `list_heads()`.
        dim: embedding size.
        num_classes: C.
        options: the head's own options by name (moe: num_mixtures, weight_penalty).

    Raises:
        ValueError: unknown head (lists them), unknown option (lists them), value out of range.
    """
    head_class, config_class = _HEADS.find(name)
    wanted = {"dim": dim, "num_classes": num_classes, **(options or {})}
    return head_class(config_from(config_class, wanted, f"head {name!r}"))
