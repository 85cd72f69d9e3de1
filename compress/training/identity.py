"""What makes a training that one and no other."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

from compress.training.config import TrainConfig
from compress.training.inputs import Table, fingerprint


def identity_of(config: TrainConfig, table: Table, validation: Table, device: str) -> dict[str, Any]:
    """Recipe, videos and device, as JSON."""
    return {
        "config": config.to_json(),
        "data": fingerprint(table),
        "validation": fingerprint(validation),
        "device": device,
    }


def same_training(before: Any, now: dict[str, Any]) -> bool:
    """Whether an identity read from a file is that of this training."""
    return isinstance(before, dict) and not differences(before, now)


def differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What differs, in words a person can act on.

    A setting that an older version did not know yet had, in effect, its default.
    """
    known = {f.name: f.default for f in fields(TrainConfig) if f.default is not MISSING}
    old, new = {**known, **(before.get("config") or {})}, now["config"]
    names = sorted({*old, *new})
    changed = [f"{n} {old.get(n)!r} -> {new.get(n)!r}" for n in names if old.get(n) != new.get(n)]
    changed += ["the training videos"] if before.get("data") != now["data"] else []
    changed += ["the validation videos"] if before.get("validation") != now["validation"] else []
    changed += ["the device"] if before.get("device") != now["device"] else []
    return changed
