"""What a person types to get one row of Tables 2, 3 and QRNN."""

from __future__ import annotations

import json
import shlex
from typing import Any

from compress.papers.catalogue import CatalogueRow, StandIn


def row_command(row: CatalogueRow, stand_in: StandIn | None = None, epochs: int | None = None) -> str:
    """`compress train --name ... && compress evaluate --run ...`.

    Args:
        row: of the catalogue.
        stand_in: what replaces some of its options on these data.
        epochs: in place of the row's.
    """
    words = ["compress", "train", "--name", row.run, "--encoder", row.encoder]
    words += [] if row.dim is None else ["--dim", str(row.dim)]
    words += [] if row.preset == "best" else ["--preset", row.preset]
    words += ["--epochs", str(epochs or row.epochs)]
    for setting in row_settings(row, stand_in):
        words += ["--set", setting]
    return " && ".join(map(shlex.join, (words, ["compress", "evaluate", "--run", row.run])))


def row_settings(row: CatalogueRow, stand_in: StandIn | None = None) -> tuple[str, ...]:
    """The values of --set; the head among them where `compress train` would take another one."""
    options = {**row.options, **(stand_in.options if stand_in else {})}
    # Without a head named, `identity` is not trained at all.
    head = {} if row.head == "moe" and row.encoder != "identity" else {"head": row.head}
    return tuple(f"{key}={_text(value)}" for key, value in {**head, **options}.items())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
