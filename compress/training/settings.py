"""Settings as fields of frozen dataclasses: each has a meaning and a range besides its default.

`setting` declares one, `check_settings` refuses values that do not fit, `describe` lists them for help texts.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from compress.errors import UsageError
from compress.limits import Limit
from encoders.options import fits

T = TypeVar("T")
ANY = Limit()


@dataclass(frozen=True)
class Rule:
    """Meaning and range of a setting.

    Args:
        meaning: one or two sentences.
        limit: the range of a number, or of each in a list.
        choices: of a text; those of a Literal need not be named.
        distinct: a list has nothing twice.
        only_with: the setting without which this one has no effect, "name=value", or "name" for any value.
        trained_only: closed-form encoders do not have it.
    """

    meaning: str
    limit: Limit = ANY
    choices: tuple[str, ...] = ()
    distinct: bool = False
    only_with: str = ""
    trained_only: bool = False

    @property
    def range(self) -> str:
        """The range for a message: ", at least 0, below 1"."""
        return f", {self.limit}" if str(self.limit) else ""


@dataclass(frozen=True)
class Setting:
    """One setting for a help text; `default` is None if it is `required`.

    `type` is in words, with its range: "a whole number, at least 1"; "one of cosine, staircase".
    """

    name: str
    type: str
    default: Any
    meaning: str
    only_with: str = ""
    required: bool = False


def setting(
    default: T,
    meaning: str,
    *,
    limit: Limit | None = None,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    below: float | None = None,
    choices: tuple[str, ...] = (),
    distinct: bool = False,
    only_with: str = "",
    trained_only: bool = False,
) -> T:
    """A field of a dataclass with a default; the other arguments are those of `Rule`, or of its limit."""
    within = limit or Limit(at_least, above, at_most, below)
    rule = Rule(meaning, within, choices, distinct, only_with, trained_only)
    if isinstance(default, dict):
        return dataclasses.field(default_factory=default.copy, metadata={"rule": rule})  # type: ignore[return-value]
    return dataclasses.field(default=default, metadata={"rule": rule})


def rules(config_class: type[Any]) -> Mapping[str, Rule]:
    """The rules of the fields that `setting` declared, by name."""
    fields = dataclasses.fields(config_class)
    return {field.name: field.metadata["rule"] for field in fields if "rule" in field.metadata}


def check_settings(config: Any, where: str = "--set") -> None:
    """Refuse values of the wrong type or out of range; lists become tuples, as JSON has none.

    Args:
        config: an instance of a dataclass with fields by `setting`; call this from its `__post_init__`.
        where: the option that the values come from, for the message.

    Raises:
        UsageError: names the setting, what it must be, and what it is.
    """
    hints = get_type_hints(type(config))
    for name, rule in rules(type(config)).items():
        value, hint = getattr(config, name), hints[name]
        if isinstance(value, list):
            value = tuple(value)
            object.__setattr__(config, name, value)
        if not _fits(hint, value, rule):
            raise UsageError(f"{name} must be {_words(hint, rule)}, not {value!r}", where=where)


def describe(config_class: type[Any]) -> list[Setting]:
    """The settings of a dataclass in order; a field without a rule has its meaning from the docstring."""
    hints, known, told = get_type_hints(config_class), rules(config_class), _documented(config_class)
    found = []
    for field in dataclasses.fields(config_class):
        rule = known.get(field.name, Rule(told.get(field.name, "")))
        required = field.default is MISSING and field.default_factory is MISSING
        default = None if field.default is MISSING else field.default
        if field.default_factory is not MISSING:
            default = field.default_factory()
        words = _words(hints[field.name], rule)
        found.append(Setting(field.name, words, default, rule.meaning, rule.only_with, required))
    return found


def _fits(hint: Any, value: Any, rule: Rule) -> bool:
    if not fits(hint, value) or (rule.choices and value not in rule.choices):
        return False
    if isinstance(value, tuple) and ("" in value or (rule.distinct and len(set(value)) < len(value))):
        return False
    each = value if isinstance(value, tuple) else (value,)
    return all(rule.limit.allows(item) for item in each if fits(float, item))


_ONE = {bool: "true or false", int: "a whole number", float: "a number", str: "text", type(None): "null"}
_MANY = {int: "whole numbers", float: "numbers", str: "names"}


def _words(hint: Any, rule: Rule) -> str:
    origin, arguments = get_origin(hint), get_args(hint)
    if choices := rule.choices or (arguments if origin is Literal else ()):
        return "one of " + ", ".join(map(str, choices))
    if origin in (Union, types.UnionType):
        return " or ".join(_words(choice, rule) for choice in arguments)
    if origin is tuple:
        each = f", each{rule.range[1:]}" if rule.range else ""
        items = _MANY.get(arguments[0]) or _words(arguments[0], Rule("")).removeprefix("one of ")
        return f"a list of {'different ' if rule.distinct else ''}{items}{each}"
    if origin is not None and issubclass(origin, Mapping):
        return "options by name"
    return _ONE.get(hint, str(hint)) + (rule.range if hint in (int, float) else "")


def _documented(config_class: type[Any]) -> dict[str, str]:
    """The "Args:" in the docstrings of a class and its bases, by name; "a, b: text" is of both."""
    found: dict[str, str] = {}
    for each in reversed(config_class.__mro__):
        _, _, listed = inspect.cleandoc(each.__doc__ or "").partition("\nArgs:\n")
        for names, text in re.findall(r"^    (\w[\w, ]*): (.*(?:\n {8,}.*)*)", listed, re.MULTILINE):
            found |= dict.fromkeys(names.split(", "), " ".join(text.split()))
    return found
