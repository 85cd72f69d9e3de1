"""The selection for machines: every figure as a fraction, unrounded."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from compress.evaluation.promises import Change, Quantity, Tried
from compress.reports.selection.selection import Selection
from compress.reports.selection.sentences import verdict


def selection_to_json(selection: Selection) -> dict[str, Any]:
    """Plain dicts, lists, strings and numbers; `chosen` is null when no store was confirmed."""
    choice, chosen = selection.choice, selection.chosen
    return {
        "schema_version": 1,
        "promise": {
            "max_drops": dict(choice.promise.max_drops),
            "confidence": choice.promise.confidence,
        },
        "baseline": {
            "store": selection.baseline.row,
            "bytes_per_video": selection.baseline.bytes_per_video,
        },
        "videos": dict(choice.videos),
        "verdict": verdict(selection),
        "chosen": None
        if chosen is None
        else {
            "store": chosen.row,
            "bytes_per_video": chosen.bytes_per_video,
            "dim": chosen.dim,
            "codec": chosen.codec,
            "encode": selection.encode_command,
            "made_by": chosen.command,
            "notes": list(chosen.notes),
        },
        "tried": [_tried(selection, one) for one in choice.tried],
        "passed_over": list(choice.passed_over),
        "left_out": dict(selection.left_out),
    }


def _tried(selection: Selection, tried: Tried) -> dict[str, Any]:
    margin, level = tried.expected.margin, selection.choice.promise.confidence
    return {
        "store": tried.expected.name,
        "bytes_per_video": tried.expected.bytes_per_video,
        # JSON knows no infinity: null where the baseline's own answers came back, or nothing at all does.
        "margin_in_standard_errors": margin if math.isfinite(margin) else None,
        "selection": _changes(tried.expected.changes, level),
        "confirmation": None if tried.changes is None else _changes(tried.changes, level),
        "shortfalls": {} if tried.changes is None else selection.choice.shortfalls(tried.changes),
        "kept": tried.kept,
    }


def _changes(changes: Mapping[Quantity, Change], level: float) -> dict[str, Any]:
    return {
        quantity: {"value": one.value, "standard_error": one.error, "lowest": one.lowest(level)}
        for quantity, one in changes.items()
    }
