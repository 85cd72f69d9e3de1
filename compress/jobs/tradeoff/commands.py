"""What a person types to get the same trade-off."""

from __future__ import annotations

import shlex

from compress.jobs.tradeoff.request import CODECS, CONTROLS, TradeoffRequest
from compress.training.recipes import PRESETS


def tradeoff_command(request: TradeoffRequest) -> str:
    """`compress tradeoff ...`, with what differs from the defaults."""
    words = ["compress", "tradeoff", *(word for run in request.runs for word in ("--run", run))]
    words += _list("--dims", request.dims)
    words += [] if request.preset == PRESETS[0] else ["--preset", request.preset]
    words += [] if request.codecs == CODECS else _list("--codecs", request.codecs)
    if request.controls != CONTROLS:
        words += _list("--controls", request.controls or ("none",))
    words += _list("--bytes", request.bytes)
    words += [word for point in request.points for word in ("--point", point)]
    words += [] if request.baseline == "original" else ["--baseline", request.baseline]
    words += [] if request.seeds == 1 else ["--seeds", str(request.seeds)]
    words += [] if request.head_epochs is None else ["--head-epochs", str(request.head_epochs)]
    words += ["--head-mixup", f"{request.head_mixup:g}"] if request.head_mixup else []
    words += [] if request.retrieval else ["--no-retrieval"]
    words += ["--seed", str(request.seed)] if request.seed else []
    return shlex.join(words)


def _list(option: str, values: tuple[object, ...]) -> list[str]:
    return [option, ",".join(map(str, values))] if values else []
