"""Options by name (JSON, TOML, command line) -> a checked config dataclass; errors say what is valid."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

C = TypeVar("C")


def config_from(config_class: type[C], options: Mapping[str, Any] | C, owner: str) -> C:
    """Build `config_class` from options.

    Args:
        config_class: a frozen dataclass.
        options: field name -> value; a list is accepted where a tuple is wanted (JSON has no tuples). An
            instance of `config_class` is returned as it is.
        owner: what the options belong to, for messages ("encoder 'lstm'").

    Raises:
        ValueError: unknown or missing option, a value of the wrong type, or one the dataclass itself refuses.
    """
    if isinstance(options, config_class):
        return options
    if not isinstance(options, Mapping):
        raise ValueError(f"{owner} takes a mapping or {config_class.__name__}, not {type(options).__name__}")
    valid = {field.name: field for field in fields(config_class)}  # type: ignore[arg-type]
    unknown = sorted(set(map(str, options)) - set(valid))
    if unknown:
        raise ValueError(f"{owner} has no option {', '.join(unknown)}; options are {', '.join(valid)}")
    required = [n for n, f in valid.items() if f.default is MISSING and f.default_factory is MISSING]
    missing = [name for name in required if name not in options]
    if missing:
        raise ValueError(f"{owner} needs option {', '.join(missing)}")
    hints = get_type_hints(config_class)
    typed = {name: _typed(hints[name], value, f"{owner}: {name}") for name, value in options.items()}
    return config_class(**typed)


def _typed(wanted: Any, value: Any, where: str) -> Any:
    value = tuple(value) if isinstance(value, list) else value
    if not fits(wanted, value):
        raise ValueError(f"{where} must be {_words(wanted)}, not {value!r}")
    return value


def fits(wanted: Any, value: Any) -> bool:
    """Whether a value has a type; an int is a float, but a bool is no number."""
    origin, arguments = get_origin(wanted), get_args(wanted)
    if wanted is Any:
        return True
    if origin is Literal:
        return value in arguments
    if origin in (Union, types.UnionType):
        return any(fits(choice, value) for choice in arguments)
    if origin is tuple:
        return isinstance(value, tuple) and all(fits(arguments[0], item) for item in value)
    if wanted is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if wanted is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, origin or wanted)


def _words(wanted: Any) -> str:
    if get_origin(wanted) is Literal:
        return "one of " + ", ".join(repr(choice) for choice in get_args(wanted))
    return getattr(wanted, "__name__", str(wanted)) if get_origin(wanted) is None else str(wanted)


def positive(**values: float) -> None:
    """Refuse values that are not > 0, by name."""
    for name, value in values.items():
        if not value > 0:
            raise ValueError(f"{name} must be positive, not {value}")


def fraction(**values: float) -> None:
    """Refuse values outside [0, 1), by name."""
    for name, value in values.items():
        if not 0 <= value < 1:
            raise ValueError(f"{name} must be in [0, 1), not {value}")


def not_negative(**values: float) -> None:
    """Refuse values below 0, by name."""
    for name, value in values.items():
        if not value >= 0:
            raise ValueError(f"{name} must not be negative, not {value}")


_POOLED = {
    "max": "max pooling",
    "mean": "mean pooling",
    "swap": "swap pooling",
    "attention": "attention pooling",
    "raw_attention": "attention pooling without softmax",
    "last": "last state",
}


def listed(sizes: Sequence[int]) -> str:
    """Sizes of layers in a title: "640", "2 x 1024" or "1280, 640"."""
    if len(sizes) > 1 and len(set(sizes)) == 1:
        return f"{len(sizes)} x {sizes[0]}"
    return ", ".join(map(str, sizes))


def pooled(options: Mapping[str, Any]) -> list[str]:
    """How frames are pooled, for a title; nothing where the options do not tell."""
    return [_POOLED[options["pooling"]]] if options.get("pooling") in _POOLED else []


def projected(widths: Sequence[int], dim: int) -> list[str]:
    """The embedding size, for a title, where it is another than the width before it."""
    return [f"to {dim}"] if widths and dim and widths[-1] != dim else []
