"""The values of one feature of a message, checked for their kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from compress.datasets.formats.layout import KIND_WORDS, FeatureMap
from compress.errors import RecordError


def values(features: FeatureMap, name: str, kind: str) -> Sequence[Any] | None:
    """The values of a feature, None when it is missing; RecordError when it is of another kind."""
    feature = features.get(name)
    if feature is None:
        return None
    found = feature.WhichOneof("kind")
    if found is not None and found != kind:
        raise RecordError(f"feature '{name}' holds {KIND_WORDS[found]} instead of {KIND_WORDS[kind]}")
    content: Sequence[Any] = getattr(feature, kind).value
    return content


def needed_values(features: FeatureMap, name: str, kind: str) -> Sequence[Any]:
    """As `values`, but a missing feature is a RecordError that names those present."""
    found = values(features, name, kind)
    if found is None:
        present = ", ".join(sorted(features)) or "none"
        raise RecordError(f"feature '{name}' is missing (present: {present})")
    return found
