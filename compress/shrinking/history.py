"""What a smaller run says about where it comes from: its config.json and its log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compress.artifacts.atomic import parse_json, read_bytes, read_json
from compress.shrinking.plan import ShrinkPlan
from compress.training.inputs import Table, fingerprint
from compress.training.run import Run


def identity_of(
    source: Path,
    sha256: str,
    plan: ShrinkPlan,
    facts: Mapping[str, Any],
    tables: Mapping[str, Table | None],
    device: str,
) -> dict[str, Any]:
    """What makes this smaller run that one and no other, as JSON: its config.json.

    Args:
        source: folder of the run that is made smaller; what its config.json says holds here too, where the
            videos are not others.
        sha256: of its weights.
        plan: what is done.
        facts: metadata of its model.
        tables: videos to train ("data") and to measure on ("validation"); None where that is not done.
        device: of the computation.
    """
    config = Run(source).config
    before = read_json(config) if config.exists() else {}
    return {
        **(before if isinstance(before, dict) else {}),
        "config": facts["train_config"],
        "device": device,
        **{name: fingerprint(each) for name, each in tables.items() if each is not None},
        "refines": {"run": source.name, "model_sha256": sha256, **plan.to_json()},
    }


def joined_log(source: Path, tuning: Path) -> bytes:
    """The log of a run, and the epochs of its pruning as further ones; a log that is gone is empty.

    Raises:
        CorruptArtifactError: a line is not JSON.
    """
    first, further = _lines(Run(source).log), _lines(Run(tuning).log)
    lines = [*first, *({**line, "epoch": len(first) + line["epoch"]} for line in further)]
    return b"".join(json.dumps(line, sort_keys=True).encode() + b"\n" for line in lines)


def _lines(log: Path) -> list[dict[str, Any]]:
    return [parse_json(line, log) for line in read_bytes(log).splitlines()] if log.exists() else []
